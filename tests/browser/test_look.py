"""Themes, widths and the keyboard."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import expect_cell, wait_pixels, wait_selection
from tests.browser.scene import Scene, frame_bytes, score, state_of

pytestmark = pytest.mark.browser

# Contrast ratio (WCAG 2) of every piece of text with the ground it stands on.
CONTRASTS = """() => {
  const bytes = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = colour => {
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = bytes(colour).map(v => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = bytes(getComputedStyle(at).backgroundColor);
      if (alpha > 0) return `rgb(${r}, ${g}, ${b})`;
    }
  };
  const texts = [...document.querySelectorAll(".wcam *")].filter(element => element.checkVisibility() &&
    [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
  return texts.map(element => {
    const [a, b] = [getComputedStyle(element).color, ground(element)].map(luminance);
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.outerHTML.slice(0, 80)];
  });
}"""

HOSTS = {
    "a dark ground": ("", 'style="background: #111"', "dark"),
    "a light ground in a dark Lab": ("", 'style="background: #fff" data-jp-theme-light="false"', "light"),
    "JupyterLab dark": ("", 'data-jp-theme-light="false"', "dark"),
    "JupyterLab light": ("", 'data-jp-theme-light="true"', "light"),
    "Colab dark": ("<script>document.documentElement.setAttribute('theme', 'dark')</script>", "", "dark"),
    "marimo dark": ("", 'class="dark"', "dark"),
    "nothing said": ("", "", "light"),
}


# Something is drawn, and nothing touches the upper edge, where the name of the coarse image stands.
DRAWN_AND_FREE_AT_THE_TOP = """() => {
  const canvas = document.querySelector("[data-wcam=dyadic]");
  const {data, width} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const alpha = at => data[4 * at + 3];
  const drawn = Array.from({length: data.length / 4}, (_, at) => at).some(at => alpha(at) > 0);
  return drawn && Array.from({length: width}, (_, at) => at).every(at => alpha(at) === 0);
}"""

# Where the coarse image ends, where the last band ends, and where the key stands.
COARSE_AND_KEY = """() => {
  const canvas = document.querySelector("[data-wcam=dyadic]");
  const {left, top, width, height, bottom} = canvas.getBoundingClientRect();
  const unit = width / (width > height ? 4.445 : 3.07);
  const coarse = {right: left + 1.25 * unit, bottom: top + 1.375 * unit, end: bottom};
  return [coarse, document.querySelector(".wcam-key").getBoundingClientRect().toJSON()];
}"""


def root_theme(page: Page) -> str | None:
    """The theme of the first view."""
    return page.locator("[data-wcam=root]").first.get_attribute("data-theme")


@pytest.mark.parametrize("host", HOSTS)
def test_the_theme_follows_what_is_behind(open_page: OpenPage, scene: Scene, host: str) -> None:
    head, body, wanted = HOSTS[host]
    page = open_page(state_of(scene, theme="auto"), head=head, body=body)
    page.wait_for_function(
        "wanted => document.querySelector('[data-wcam=root]').dataset.theme === wanted", arg=wanted
    )
    opposite = {"light": "dark", "dark": "light"}[wanted]
    assert root_theme(open_page(state_of(scene, theme=opposite), head=head, body=body)) == opposite


def test_the_theme_changes_with_the_host(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, theme="auto"), body='data-jp-theme-light="true"')
    expect(page.locator("[data-wcam=root]")).to_have_attribute("data-theme", "light")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(page.locator("[data-wcam=root]")).to_have_attribute("data-theme", "dark")


def test_a_reader_who_prefers_dark_gets_dark(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, theme="auto"), context={"color_scheme": "dark"})
    expect(page.locator("[data-wcam=root]")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(open_page: OpenPage, scene: Scene, theme: str) -> None:
    page = open_page(state_of(scene, theme=theme, selection=[0, 1, 2]))
    wait_pixels(page, "reconstruction", scene.rebuilt([0, 1, 2]))
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 40
    # WCAG asks nothing of the text of disabled controls; ours stays at 3.
    assert [entry for entry in contrasts if entry[0] < (3 if "disabled" in entry[1] else 4.5)] == []


@pytest.mark.parametrize(("width", "columns"), [(1300, 3), (1000, 3), (720, 2), (420, 1), (300, 1)])
def test_panes_stack_as_the_page_narrows(open_page: OpenPage, scene: Scene, width: int, columns: int) -> None:
    page = open_page(state_of(scene), context={"viewport": {"width": width, "height": 900}})
    boxes = [
        page.locator(f"[data-wcam=pane-{name}]").bounding_box()
        for name in ("image", "dyadic", "reconstruction")
    ]
    lefts = {round(box["x"]) for box in boxes if box is not None}
    assert len(lefts) == columns
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [1200, 720, 400, 280])
def test_no_two_labels_of_the_profile_meet(open_page: OpenPage, scene: Scene, width: int) -> None:
    page = open_page(state_of(scene), context={"viewport": {"width": width, "height": 900}})
    overlaps = page.evaluate(
        """() => {
          const texts = [...document.querySelectorAll(".wcam-slot em, .wcam-bar > span, .wcam-group > span")]
            .filter(element => element.checkVisibility())
            .map(element => { const range = document.createRange(); range.selectNodeContents(element);
                              return [element.textContent, range.getBoundingClientRect()]; });
          return texts.flatMap(([a, p], at) => texts.slice(at + 1)
            .filter(([, q]) => p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom)
            .map(([b]) => [a, b]));
        }"""
    )
    assert overlaps == []


@pytest.mark.parametrize("width", [1200, 420, 280])
def test_names_of_bands_are_not_cut_and_their_key_covers_none(
    open_page: OpenPage, scene: Scene, width: int
) -> None:
    page = open_page(state_of(scene), context={"viewport": {"width": width, "height": 900}})
    page.wait_for_function(DRAWN_AND_FREE_AT_THE_TOP)
    coarse, key = page.evaluate(COARSE_AND_KEY)
    assert key["top"] >= coarse["bottom"] or key["left"] >= coarse["right"]
    below = key["right"] <= coarse["right"] + 1 or key["top"] >= coarse["end"]
    assert below or key["bottom"] <= coarse["bottom"]


@pytest.mark.parametrize("width", [420, 280])
def test_what_is_explained_can_be_read_whole(open_page: OpenPage, scene: Scene, width: int) -> None:
    label = "logit of American Staffordshire terrier"
    state = state_of(scene, label, _scores=score("all", label, 7.31))
    page = open_page(state, context={"viewport": {"width": width, "height": 900}})
    name = page.locator("[data-wcam=score-row] th").first
    assert name.evaluate("e => e.scrollWidth <= e.clientWidth")
    expect(name).to_have_attribute("title", label)


@pytest.mark.parametrize(("measured", "words"), [(0, "not measured"), (7, "not measured for 3 of 10 bands")])
def test_what_was_not_measured_is_absent_and_said(
    open_page: OpenPage, scene: Scene, measured: int, words: str
) -> None:
    profile = scene.profile()
    profile["shapley"] = [*profile["shapley"][:measured], *(10 - measured) * [None]]
    frame = frame_bytes(scene, profile=profile)
    page = open_page(state_of(scene, _frame=base64.b64encode(frame).decode()))
    expect(page.locator("[data-wcam=profile-legend]")).to_contain_text(f"Shapley effect: {words}")
    assert page.locator(".wcam-bar .wcam-shapley:visible").count() == measured
    assert page.locator(".wcam-bar .wcam-total:visible").count() == 10


def test_the_numbers_of_the_profile_stand_clear_of_the_whiskers(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    gaps = page.evaluate(
        """() => [...document.querySelectorAll(".wcam-slot")].map(bar =>
          bar.querySelector(".wcam-whisker").getBoundingClientRect().top -
          bar.querySelector("em").getBoundingClientRect().bottom)"""
    )
    assert len(gaps) == 10
    assert min(gaps) >= 1
    ticks = page.locator(".wcam-axis span").all_text_contents()
    assert ticks == ["0", "0.1", "0.2", "0.3"]
    assert page.locator(".wcam-slot em").first.text_content() == f"{scene.profile()['total'][0]:.2f}"


def test_everything_by_keyboard(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    for control in (
        "opacity",
        "colormap",
        *4 * ("level",),
        "contours-shown",
        "scale",
        "per-level",
        "equal",
        "packed",
    ):
        page.keyboard.press("Tab")
        expect(page.locator(f"[data-wcam={control}]:focus")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.locator("[data-wcam=dyadic]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect_cell(page, "A3: the coarse image")
    expect_cell(page, "rows 8 to 15, columns 0 to 7")
    page.keyboard.press("Space")
    wait_selection(page, [8])
    page.keyboard.press("]")
    expect_cell(page, "LH3: ")
    page.keyboard.press("]")
    expect_cell(page, "LH2: ")
    expect_cell(page, "rows 8 to 15, columns 0 to 7")
    page.keyboard.press("Shift+Space")
    wait_selection(page, [8, *scene.cells_in("LH2")])
    page.keyboard.press("Enter")
    wait_selection(page, scene.cells_in("LH2"))
    wait_pixels(page, "reconstruction", scene.rebuilt(scene.cells_in("LH2")))
    page.keyboard.press("Control+z")
    wait_selection(page, [8, *scene.cells_in("LH2")])
    page.keyboard.press("Escape")
    wait_selection(page, [])
    page.keyboard.press("Tab")
    expect(page.locator("[data-wcam=mode-keep]")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-wcam=mode-remove]")).to_be_focused()
    expect(page.locator("[data-wcam=mode-remove]")).to_have_attribute("aria-checked", "true")


def test_what_the_pictures_show_is_said_in_words(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    dyadic = page.locator("[data-wcam=dyadic]")
    described = dyadic.get_attribute("aria-describedby")
    text = page.locator(f"#{described}")
    expect(text).to_contain_text("640 cells in 10 bands. Largest values:")
    expect(text).to_contain_text("Arrow keys move from cell to cell")
    expect(page.locator("[data-wcam=profile-bar][data-band=A3]")).to_have_attribute(
        "aria-label", scene_words(scene)
    )


def scene_words(scene: Scene) -> str:
    """What the approximation's bar must say."""
    profile = scene.profile()
    total, low, high, shapley = (profile[name][0] for name in ("total", "low", "high", "shapley"))
    return f"A3: {total:.3f}, {low:.3f} to {high:.3f}, Shapley effect {shapley:.3f}. Toggles the band"


def test_colours_and_opacity_are_the_readers(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    page.locator("[data-wcam=colormap]").select_option("viridis")
    page.wait_for_function("() => mounted.model.view().get('colormap') === 'viridis'")
    page.locator("[data-wcam=opacity]").fill("0.25")
    page.wait_for_function("() => mounted.model.view().get('opacity') === 0.25")
    assert page.locator("[data-wcam=heat]").evaluate("heat => heat.style.opacity") == "0.25"
