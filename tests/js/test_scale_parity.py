"""Figures and the explorer show one scale, one heat and one way to write numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wcam_widget.basis import AbstractBasis, Cells, WaveletBasis
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.heat import area_words, heat_map, usual_cell
from wcam_widget.show.scale import SCALE_CHOICES, Scale, cut_shares, is_share
from wcam_widget.show.words import format_value, unit_words

JS = Path(__file__).parents[2] / "js"
SHARE = "share of the score's variance, total"


def front_end(questions: dict[str, Any]) -> dict[str, Any]:
    """What the front end makes of maps, numbers and heats."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    done = subprocess.run(
        [node, str(JS / "tests" / "parity" / "scale.mjs")],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def maps() -> list[dict[str, Any]]:
    """Maps of all sizes, skewed and even, signed, unknown in part, estimated beyond 1, and empty ones."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(120):
        power, size = rng.uniform(1, 9), 10.0 ** rng.uniform(-5, 2)
        values = (rng.random(rng.integers(1, 80)) ** power * size).astype(np.float32)
        values[rng.random(len(values)) < 0.1] *= -1
        known = [None if rng.random() < 0.05 else float(value) for value in values]
        made.append({"values": known, "unit": (SHARE, "logit")[number % 2], "signed": number % 4 == 3})
    edge = [float(np.float32(value)) for value in [1.0, *12 * [0.03], *12 * [0.029]]]
    made.append({"values": edge, "unit": "logit", "signed": False})
    made.append({"values": [3.46, 0.146], "unit": SHARE, "signed": False})
    made.append({"values": [0.0, None, -1.0], "unit": "logit", "signed": False})
    made.append({"values": [], "unit": SHARE, "signed": False})
    return [{**one, "choice": SCALE_CHOICES[at % 4 if at % 3 == 0 else 0]} for at, one in enumerate(made)]


def numbers(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], float)


def test_the_scale_is_the_same_in_both_languages() -> None:
    given = maps()
    found = front_end({"maps": given, "numbers": [], "heats": []})["scales"]
    roots = 0
    for asked, theirs in zip(given, found, strict=True):
        cut = cut_shares(numbers(asked["values"]), asked["unit"])
        share, choice = is_share(asked["unit"]), asked["choice"]
        ours = Scale.of(cut, signed=asked["signed"], share=share, choice=choice)
        assert (ours.top, ours.kind, ours.signed) == (theirs["top"], theirs["kind"], theirs["signed"])
        assert [ours.value_at(at) for at in (0.0, 0.5, 1.0)] == pytest.approx(theirs["ticks"], abs=1e-12)
        assert [ours.tick_words(at) if ours.top or at == 0 else "–" for at in (0.0, 0.5, 1.0)] == theirs["words"]
        assert ours.words == theirs["scale"]
        float32 = np.asarray(cut, np.float32).astype(float)
        known = ours.place(float32[np.isfinite(float32)]) if ours.top else np.array([])
        assert known == pytest.approx(theirs["places"], abs=1e-6)
        assert unit_words(asked["unit"]) == theirs["unit"]
        roots += ours.kind == "root"
    assert 10 < roots < len(given) - 10  # both decisions were tried


def test_numbers_are_written_the_same() -> None:
    rng = np.random.default_rng(1)
    scattered = [float(10.0 ** rng.uniform(-8, 8) * rng.choice([-1, 1])) for _ in range(300)]
    likes = [float(10.0 ** rng.uniform(-8, 8)) for _ in scattered]
    pairs = [*zip(scattered, likes, strict=True), (0.0, 1.0), (0.146, 0.146), (1.0, 1.0), (0.5, 0.0)]
    found = front_end({"maps": [], "numbers": pairs, "heats": []})["texts"]
    assert found == [format_value(value, like) for value, like in pairs]


def irregular(basis: AbstractBasis) -> Cells:
    return Cells.dyadic(basis, 3)


@pytest.mark.parametrize(("wavelet", "grid"), [("haar", 4), ("db2", 3), ("haar", irregular)])
def test_the_heat_is_the_same(wavelet: str, grid: Any) -> None:
    model = BlackBox(lambda images: images.square().mean((2, 3)))
    image = np.random.default_rng(2).random((1, 3, 33, 24), np.float32)
    (attribution,) = Wcam(Sobol(rows=2), wavelet=wavelet, levels=2, grid=grid)(model, image)
    cells = attribution.cells
    assert isinstance(attribution.basis, WaveletBasis)
    height, width = cells.image_size
    asked = {
        "values": cut_shares(attribution.values, attribution.unit).tolist(),
        "support": cells.support.ravel().tolist(),
        "height": height,
        "width": width,
    }
    (found,) = front_end({"maps": [], "numbers": [], "heats": [asked]})["heats"]
    assert np.array(found["heat"]).reshape(height, width) == pytest.approx(
        heat_map(attribution), rel=1e-5, abs=1e-7
    )
    assert found["area"] == area_words(usual_cell(cells))
