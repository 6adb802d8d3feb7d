"""Views and widgets that come and go on the tests' own page, and counts of what they leave there."""

from __future__ import annotations

from playwright.sync_api import Page

# What Chromium does not count itself. Canvases are held weakly; one without pixels holds nothing.
COUNTING = """() => {
  const canvases = [], observing = new Set(), intervals = new Set();
  const create = document.createElement;
  document.createElement = function (tag, ...rest) {
    const made = create.call(this, tag, ...rest);
    if (tag === "canvas") canvases.push(new WeakRef(made));
    return made;
  };
  for (const {prototype} of [ResizeObserver, MutationObserver]) {
    const {observe, disconnect} = prototype;
    prototype.observe = function (...args) { observing.add(this); return observe.apply(this, args); };
    prototype.disconnect = function () { observing.delete(this); return disconnect.apply(this); };
  }
  const {setInterval: begin, clearInterval: end} = globalThis;
  globalThis.setInterval = (...args) => { const id = begin(...args); intervals.add(id); return id; };
  globalThis.clearInterval = id => { intervals.delete(id); end(id); };
  globalThis.counts = () => ({
    canvases: canvases.filter(each => (each.deref()?.width ?? 0) > 0).length,
    observers: observing.size,
    intervals: intervals.size,
    elements: document.querySelectorAll("*").length,
    modelListeners: mounted.model.listeners,
  });
  globalThis.frames = async number => {
    for (let at = 0; at < number; at++) await new Promise(requestAnimationFrame);
  };
}"""
VIEW = """async times => {
  for (let at = 0; at < times; at++) {
    const place = document.body.appendChild(document.createElement("div"));
    const end = mounted.addView(place);
    await frames(3);
    place.querySelector("[data-wcam=profile-bar]").click();
    await frames(1);
    end();
    place.remove();
  }
  kernel.questions.length = 0;
}"""
# A cell that is run again: the widget of the earlier run is closed by its kernel, and its view taken away.
WIDGET = """async ([times, running, frame]) => {
  for (let at = 0; at < times; at++) {
    const place = document.body.appendChild(document.createElement("div"));
    const own = new Kernel();
    const widget = wcamStandalone.mount(place, state, own, {profile: "backbone", css: ""});
    await frames(3);
    own.page.message({t: "beat", next: 1});
    place.querySelector("[data-wcam=profile-bar]").click();
    if (at % 2) own.page.update({_status: running, _frame: own.bytes(frame)});
    await frames(1);
    own.page.message({t: "bye", reason: "closed"});
    widget.dispose();
    place.remove();
    if (widget.model.listeners > 0) throw new Error("the model of a closed widget has listeners");
  }
}"""


def counted(page: Page) -> dict[str, int]:
    """What there is once all garbage is gone."""
    session = page.context.new_cdp_session(page)
    page.evaluate("() => frames(2)")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    browser = session.send("Memory.getDOMCounters")
    session.detach()
    return {**page.evaluate("() => counts()"), **browser}
