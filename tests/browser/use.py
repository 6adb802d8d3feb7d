"""What a reader does with an explorer, whatever host shows it, and what came of it as a row of a table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, expect

from tests.browser.lab import ROOT
from tests.browser.servers import PATIENCE

ROWS = ROOT / "build" / "hosts"
THEIRS = ("/static/notebook/",)  # code of a host that throws by itself, also without a widget


@dataclass
class Row:
    """What one host did."""

    host: str
    renders: bool = False
    live: bool = False
    click: bool = False
    scores: bool = False
    alone: bool = False
    """Whether the still picture is hidden while the view is drawn."""
    complaints: list[str] = field(default_factory=list)

    def write(self) -> None:
        """Keep it for the table of hosts."""
        ROWS.mkdir(parents=True, exist_ok=True)
        (ROWS / f"{self.host}.json").write_text(json.dumps(asdict(self), indent=1))


def listen(page: Page, row: Row) -> None:
    """Note the errors of a page that have to do with us."""

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and any(word in message.text for word in ("wcam", "anywidget")):
            row.complaints.append(message.text[:300])

    def note_thrown(error: Error) -> None:
        if not any(place in (error.stack or "") for place in THEIRS):
            row.complaints.append(str(error)[:300])

    page.on("console", note)
    page.on("pageerror", note_thrown)


def part(page: Page, name: str) -> Locator:
    return page.locator(f".wcam [data-wcam={name}]").first


def drive(page: Page, row: Row, *, live: bool = True) -> None:
    """Use the first explorer of a page as a reader would: look, choose cells, and read the model's answer."""
    drawn = "canvas => canvas.width > 0 && canvas.toDataURL()"
    part(page, "dyadic").wait_for()
    row.renders = True
    wait = {"timeout": PATIENCE * 1000}
    expect(part(page, "connection")).to_have_attribute("data-state", "live" if live else "static", **wait)
    row.live = live
    before = part(page, "reconstruction").evaluate(drawn)
    part(page, "dyadic").scroll_into_view_if_needed()
    part(page, "profile-bar").click()
    for key in ("ArrowRight", "Space"):  # a cell more, or one less: no page without a kernel knows the scores
        part(page, "dyadic").press(key)
    expect(part(page, "selection")).to_contain_text("Selected", **wait)
    handle = part(page, "reconstruction").element_handle()
    page.wait_for_function(f"([canvas, before]) => ({drawn})(canvas) !== before", arg=[handle, before])
    row.click = True
    if live:
        expect(part(page, "scores")).to_have_attribute("data-state", "known", **wait)
        row.scores = True


def table() -> str:
    """The hosts that were tried, a line each."""
    rows = [Row(**json.loads(path.read_text())) for path in sorted(ROWS.glob("*.json"))]
    head = "| host | renders | live | click rebuilds | scores | picture hidden while live | errors |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for row in rows:
        done = [row.renders, row.live, row.click, row.scores, row.alone]
        marks = " | ".join("yes" if one else "no" for one in done)
        lines.append(f"| {row.host} | {marks} | {len(row.complaints) or 'none'} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())  # noqa: T201 what this is for
