"""Formulas of LaTeX as MathML, which browsers draw by themselves: no script, no font, no network."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree as ET

from latex2mathml.converter import convert_to_element

_FORMULA = re.compile(
    r"(?<!\\)\$\$(?P<block>.+?)(?<!\\)\$\$"
    r"|(?<!\\)\$(?P<inline>.+?)(?<!\\)\$"
    r"|\\\[(?P<bracket>.+?)\\\]"
    r"|\\\((?P<parenthesis>.+?)\\\)"
    r"|(?P<environment>\\begin\{(?P<name>[a-z]+\*?)\}.+?\\end\{(?P=name)\})",
    re.DOTALL,
)
_INLINE = ("inline", "parenthesis")


def formula_html(latex: str, *, block: bool) -> str:
    r"""A formula as MathML; as it is written, where it is none that can be read.

    Args:
        latex: the formula without its delimiters.
        block: whether it stands in a line of its own.

    >>> formula_html("x < 1", block=False).endswith("<mi>x</mi><mo>&lt;</mo><mn>1</mn></mrow></math>")
    True
    >>> formula_html(r"\frac{", block=False)
    '<code>\\frac{</code>'
    """
    try:
        element = convert_to_element(latex, display="block" if block else "inline")
    except Exception:  # noqa: BLE001 the reader of LaTeX raises errors of any kind
        return f"<code>{html.escape(latex, quote=False)}</code>"
    for node in element.iter():
        node.text = html.unescape(node.text or "") or None
    return ET.tostring(element, encoding="unicode")


def formulas_html(text: str) -> str:
    """A text of LaTeX, its formulas as MathML and the rest as it is written.

    >>> formulas_html("$x$ & more").endswith("</math> &amp; more")
    True
    """
    parts, end = [], 0
    for match in _FORMULA.finditer(text):
        kind = str(match.lastgroup)
        formula = formula_html(match[kind], block=kind not in _INLINE)
        parts += [html.escape(text[end : match.start()]), formula]
        end = match.end()
    return "".join([*parts, html.escape(text[end:])])
