"""Pages that host the widget as ipywidgets does: its own managers, and anywidget's own bundles.

The bundles are what a notebook page would load from a CDN. They come from npm once, are checked, and lie in a
folder that git ignores; pages read them from there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.browser.page import KERNEL, STATIC, as_script
from wcam_widget.show.explorer.explorer import Explorer
from wcam_widget.show.traits import FRAMES

PACKAGES = Path(__file__).resolve().parents[2] / "build" / "npm"
CHECKSUMS = {
    "anywidget@0.9.21": (
        "0uQ9/zZmig/2DuI2OXTDI97msdfRH7cMKK+pxxFqArfNdXXCWalvsKGvl896EyNROXPVuqZB1r7T+RZN9ruQNg=="
    ),
    "anywidget@0.11.0": (
        "LHZgW2j5UjyerZSZcO+BtZPXGMSORQV2bUT480hOR5x/BXS8sOradi/71amJfMueSEnKX0dqPwTfsOGHTsyZpQ=="
    ),
    "@jupyter-widgets/html-manager@0.20.6": (
        "n2hawndvJJlx0VXMDT6K80fTgfrTReOE3UjKMraLkaL7CLqXs9fx/GBtciDceYhOTqLzh3NwvAwgNp9D448Ihg=="
    ),
    "@jupyter-widgets/html-manager@1.0.15": (
        "5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA=="
    ),
    "requirejs@2.3.7": (
        "DouTG8T1WanGok6Qjg2SXuCMzszOo0eHeH9hDZ5Y4x8Je+9JB38HdTLT4/VA8OaUhBa0JPVHJ0pyBkM1z+pDsw=="
    ),
}


class Manager(NamedTuple):
    """The front end of one version of ipywidgets with one of anywidget; live, or a page without a kernel."""

    manager: str
    anywidget: str
    live: bool


MANAGERS = {
    "ipywidgets 7": Manager("@jupyter-widgets/html-manager@0.20.6", "anywidget@0.9.21", live=True),
    "ipywidgets 8": Manager("@jupyter-widgets/html-manager@1.0.15", "anywidget@0.11.0", live=True),
    "ipywidgets 8, saved": Manager("@jupyter-widgets/html-manager@1.0.15", "anywidget@0.11.0", live=False),
}

# A model in a manager of ipywidgets, with a comm whose other end is the kernel of the page.
HOST = """
class Comm {
  comm_id = "comm"; target_name = "jupyter.widget";
  on_msg(take) { this.take = take; }
  on_close(close) { this.close = close; }
  send(data, callbacks) {
    if (data.method === "custom") kernel.send(data.content);
    if (data.method === "update") kernel.save(data.state);
    setTimeout(() => callbacks?.iopub?.status?.({content: {execution_state: "idle"}}));
    return "message";
  }
  receive(data) { this.take({content: {comm_id: this.comm_id, data}, buffers: []}); }
}
const bytes = text => new DataView(Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer);
for (const name of frames) state[name] = bytes(state[name] ?? "");
globalThis.kernel = live ? new Kernel() : null;
const comm = live ? new Comm() : undefined;
const loaded = new Promise((resolve, reject) =>
  requirejs(["@jupyter-widgets/html-manager"], resolve, reject));
let known = {get: () => undefined};
const made = loaded.then(async ({HTMLManager}) => {
  const manager = new HTMLManager({loader: name => new Promise((resolve, reject) =>
    requirejs([name], resolve, reject))});
  const names = {model_name: "AnyModel", model_module: "anywidget", model_module_version: version};
  const place = live ? {comm} : {};
  const model = await manager.new_model({...names, ...place, model_id: "model"}, state);
  kernel?.connect({
    message: content => comm.receive({method: "custom", content}),
    update: state => comm.receive({method: "update", state}),
    connected: connected => { model.comm_live = connected; },
  });
  known = model;
  return {manager, model};
});
globalThis.mounted = {
  model: {view: () => known},
  addView(place) {
    const view = made.then(async ({manager, model}) => {
      const view = await manager.create_view(model);
      // ipywidgets 7 takes a message first.
      await (manager.display_view.length === 2
        ? manager.display_view(view, place) : manager.display_view(undefined, view, {el: place}));
      return view;
    });
    return () => { view.then(view => view.remove()); };
  },
};
mounted.addView(document.getElementById("host0"));
globalThis.ends = [];
for (let at = 1; at < views; at++) ends.push(mounted.addView(document.getElementById("host" + at)));
"""


def bundle(package: str, file: str) -> Path:
    """A file of a package from npm, which is fetched where it was never fetched before."""
    folder = PACKAGES / package.replace("/", "-")
    if not folder.exists():
        PACKAGES.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--json", "--pack-destination", str(PACKAGES), package]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PACKAGES)
        archive = PACKAGES / json.loads(done.stdout)[0]["filename"].replace("@", "").replace("/", "-")
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != CHECKSUMS[package]:
            raise RuntimeError(f"{package} from npm is not what it was: its checksum is {found}")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return folder / "package" / file


def manager_html(state: dict[str, Any], name: str, *, views: int = 1, head: str = "", body: str = "") -> str:
    """The page; ``name`` is one of ``MANAGERS``."""
    manager, anywidget, live = MANAGERS[name]
    version = anywidget.partition("@")[2]
    code = bundle(anywidget, "dist/index.js").read_text("utf-8")
    named = code.replace('define(["@jupyter-widgets', 'define("anywidget", ["@jupyter-widgets').replace(
        "</script", "<\\/script"
    )
    sources = [bundle("requirejs@2.3.7", "require.js"), bundle(manager, "dist/embed-amd.js")]
    scripts = "".join(f'<script src="{source.as_uri()}"></script>' for source in sources)
    hosts = "".join(f'<div class="host" id="host{at}"></div>' for at in range(views))
    traits = {
        **state,
        "_model_name": "AnyModel",
        "_model_module": "anywidget",
        "_model_module_version": version,
        "_view_name": "AnyView",
        "_view_module": "anywidget",
        "_view_module_version": version,
        "_anywidget_id": f"{Explorer.__module__}.{Explorer.__name__}",
        "_esm": (STATIC / "widget.js").read_text("utf-8"),
        "_css": (STATIC / "widget.css").read_text("utf-8"),
    }
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>explorer</title>{head}</head>
<body {body}>{hosts}{scripts}<script>{named}</script>
<script>{KERNEL}
{{
const state = {as_script(traits)}, frames = {json.dumps(list(FRAMES))};
const live = {json.dumps(live)}, version = {json.dumps(version)}, views = {views};
{HOST}
}}
</script></body></html>"""
