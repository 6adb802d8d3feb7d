"""A page that hosts the widget from a file: everything inline, nothing to fetch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import wcam_widget

STATIC = Path(wcam_widget.__file__).parent / "show" / "static"

# A kernel that greets back, remembers what it was sent, and answers questions when the test says so.
KERNEL = """
class Kernel {
  saved = {}; sent = []; questions = []; page = null;
  prices = false;  // whether a test answers what more rows of the selection would take
  connect(page) { this.page = page; }
  save(changes) { Object.assign(this.saved, changes); }
  send(content) {
    this.sent.push(content);
    if (content.t === "hello") {
      this.client = content.client;
      setTimeout(() => this.page.message(
        {t: "hello-ack", client: content.client, proto: 1, run: "run-1", rev: 1}));
    }
    if (content.t !== "req") return;
    if (content.method === "price" && !this.prices) this.refuse(content, "no rows here");
    else this.questions.push(content);
  }
  refuse({id, client}, message) {
    setTimeout(() => this.page.message({t: "err", id, client, code: "bad_request", message}));
  }
  bytes(text) { return new DataView(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer); }
  reply(result) {
    const {id, client} = this.questions.shift();
    this.page.message({t: "res", id, client, result});
  }
  answer(result) {
    const {id, client} = this.questions.shift();
    if (result) this.page.update({_scores: result});  // scores come through the trait alone
    this.page.message({t: "res", id, client});
  }
}
"""


def as_script(value: Any) -> str:
    """JSON that can stand inside a script element, whatever the strings say."""
    text = json.dumps(value)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def html(
    state: dict[str, Any], *, profile: str = "static", views: int = 1, head: str = "", body: str = ""
) -> str:
    """The page; ``profile`` names the host it repeats, and any but "static" has a kernel."""
    script = (STATIC / "standalone.js").read_text(encoding="utf-8").replace("</script", "<\\/script")
    css = (STATIC / "widget.css").read_text(encoding="utf-8")
    style = "" if profile == "marimo" else f"<style>{css}</style>"
    hosts = "".join(f'<div class="host" id="host{at}"></div>' for at in range(views))
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>explorer</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'">{style}{head}</head><body {body}>{hosts}
<script>{script}</script>
<script>{KERNEL}
const state = {as_script(state)};
globalThis.kernel = {json.dumps(profile)} === "static" ? null : new Kernel();
globalThis.mounted = wcamStandalone.mount(
  document.getElementById("host0"), state, kernel, {{profile: {json.dumps(profile)}, css: {as_script(css)}}});
globalThis.ends = [];
for (let at = 1; at < {views}; at++) ends.push(mounted.addView(document.getElementById("host" + at)));
</script></body></html>"""
