"""The exporter ``wcam-html`` of nbconvert: a notebook as one page whose widgets work without a network."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbconvert.utils.exceptions import ConversionException

from wcam_widget.show.pages.formulas import formula_html, formulas_html
from wcam_widget.show.pages.notebook import PlacedWidgets, place_widgets
from wcam_widget.show.pages.page import code_html, page_scripts, script_hash

# JupyterLab's page without the scripts that it would load from elsewhere.
TEMPLATE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head -%}
<meta http-equiv="Content-Security-Policy" content="POLICY">{{ super() }}
{%- endblock -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block data_latex -%}
<div class="jp-RenderedLatex jp-OutputArea-output {{ extra_class }}" data-mime-type="text/latex">
{{ output.data['text/latex'] | latex2html }}
</div>
{%- endblock -%}
"""
WIDGETS = "wcam_widgets"  # where the resources of a conversion hold what was placed
JAVASCRIPT = ("", "module", "text/javascript", "application/javascript")


class NotebookError(ConversionException, ValueError):
    """A notebook that makes no page; nbconvert says so and ends."""


class WcamHtmlExporter(HTMLExporter):
    """A notebook as one HTML page, whose explorers work from a file: no kernel, no network.

    Their code stands in the page once. Widgets of other packages work where one module draws them; the rest
    show what stands beside them. Formulas are MathML. The page allows its own scripts and nothing else.

    >>> WcamHtmlExporter().file_extension
    '.html'
    """

    export_from_notebook = "HTML with live explorers"

    def __init__(self, **options: Any) -> None:
        given = {"raw_template": TEMPLATE, "embed_images": True, **options}
        super().__init__(**given)  # type: ignore[no-untyped-call]
        place: Any = _PlaceWidgets
        # The last one: after a notebook was executed.
        self.register_preprocessor(place(), enabled=True)  # type: ignore[no-untyped-call]

    def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> Any:
        """Convert a notebook; NotebookError where no explorer of it can be placed."""
        body, resources = super().from_notebook_node(nb, resources, **options)
        placed: PlacedWidgets = resources[WIDGETS]
        self.log.info("%s", placed)
        head, end, rest = body.rpartition("</body>")
        page = head + code_html(placed.explorers, page_scripts(), placed.modules) + end + rest
        return page.replace("POLICY", _policy(page, modules=bool(placed.modules)), 1), resources

    def default_filters(self) -> Any:
        """The filters of templates."""
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        yield "latex2html", formulas_html

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as HTML, with formulas."""
        renderer = _Renderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            embed_images=self.embed_images,
            path=context.get("resources", {}).get("metadata", {}).get("path", ""),
            anchor_link_text=self.anchor_link_text,
            exclude_anchor_links=self.exclude_anchor_links,
            **self.lexer_options,
        )
        return str(MarkdownWithMath(renderer=renderer).render(source))


class _PlaceWidgets(Preprocessor):
    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        try:
            resources[WIDGETS] = place_widgets(nb)
        except ValueError as error:
            raise NotebookError(str(error)) from error
        return nb, resources


class _Renderer(IPythonRenderer):
    def block_math(self, body: str) -> str:
        return formula_html(body, block=True)

    def inline_math(self, body: str) -> str:
        return formula_html(body, block=False)

    def latex_environment(self, name: str, body: str) -> str:
        return formula_html(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)


class _Scripts(HTMLParser):
    """The scripts that stand in a page, of outputs and of its own."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self.texts: list[str] = []
        self._inside = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = tag == "script" and "src" not in given and (given.get("type") or "") in JAVASCRIPT
        if self._inside:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data


def _policy(page: str, *, modules: bool) -> str:
    """What the page may do: run the scripts that stand in it, and show what stands in it."""
    sources = [f"'{script_hash(text)}'" for text in dict.fromkeys(_Scripts(page).texts)]
    blobs = ["blob:"] if modules else []  # how a module that is text is imported
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join([*sources, *blobs])}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "media-src data: blob:",
            "font-src data:",
        ]
    )
