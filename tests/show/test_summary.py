"""The answer in one sentence is true of the numbers it is made from."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from wcam_widget.basis import Cells, FourierBasis, PixelBasis, WaveletBasis
from wcam_widget.explain import Attribution, Wcam
from wcam_widget.model import BlackBox, Margin
from wcam_widget.sensitivity import Estimate, Kind, Sobol
from wcam_widget.show.selection import Question
from wcam_widget.show.summary import Subject, sentence, subject_of
from wcam_widget.show.words import format_score

NUMBERS = Path(__file__).parents[1] / "reference" / "score_numbers.json"
CAT = Subject("Egyptian cat", 0.3934, "class")
BASIS = WaveletBasis((48, 48), "haar", 2)
CELLS = Cells.regular(BASIS, 4)
NAMES = [band.name for band in CELLS.bands]


def made(shares=None, widths=0.02, values=None, cells=CELLS, basis=BASIS, shapley=None, **changes):
    """An attribution whose bands have these shares, with intervals of these widths, on an even map."""
    count = len(cells.bands)
    total = np.zeros(count)
    for name, share in (shares or {}).items():
        total[[band.name for band in cells.bands].index(name)] = share
    wide = np.broadcast_to(widths, count)
    constant = Estimate.of_constant(len(cells), count, evaluations=64)
    groups = replace(
        constant.groups,
        total=total,
        low=np.maximum(total - wide / 2, 0),
        high=total + wide / 2,
        shapley=total if shapley is None else np.full(count, shapley),
    )
    value = np.ones(len(cells)) / len(cells) if values is None else np.asarray(values, float)
    estimate = replace(constant, value=value, groups=groups, variance=changes.pop("variance", 1.0))
    about = {
        "method": "Wcam",
        "target": "logit of Egyptian cat",
        "score": 10.96,
        "planned": 64,
        "seconds": 2.0,
        "complete": True,
        "stop": "all planned rows are done",
    }
    return Attribution(estimate=estimate, cells=cells, basis=basis, **(about | changes))


def over_pixels(values):
    basis = PixelBasis((48, 48))
    return made(values=values, cells=Cells.regular(basis, 4), basis=basis, variance=np.nan, unit="x")


def placed(row, column, band="A2"):
    """Values of one cell of a band, which lies at this row and column of 4 by 4."""
    values = np.zeros(len(CELLS))
    values[CELLS.in_band(band)[4 * row + column]] = 1.0
    return values


def answer(name, classes, target=(10.96, 2.0), mode="keep"):
    cells = tuple(CELLS.in_band(name).tolist())
    before, after = target
    return {
        Question(cells, mode).key: {
            "target": {"label": "logit of Egyptian cat", "original": before, "reconstruction": after},
            "classes": [
                {"label": label, "original": original, "reconstruction": kept}
                for label, (original, kept) in classes.items()
            ],
        }
    }


def test_the_answer_names_the_scale_the_place_and_whether_it_is_enough():
    known = answer("A2", {"Egyptian cat": (0.39, 0.02), "lynx": (0.1, 0.12)})
    words = sentence(made({"A2": 0.58, "HL1": 0.2}, values=placed(0, 0)), CAT, "done", known)
    assert words == (
        "Egyptian cat (.39): 58 % of the score's variance involves the coarse image (A2); "
        "most of the map (100 % in a ninth of the image) lies around row 5, column 5 (upper left). "
        "The coarse image alone is not enough (.02): the model then says lynx (.12)."
    )


def test_a_band_that_is_enough_says_so():
    known = answer("HL2", {"Egyptian cat": (0.39, 0.31), "lynx": (0.1, 0.12)})
    words = sentence(made({"HL2": 0.58}), CAT, "done", known)
    assert "involves vertical edges (HL2)" in words
    assert words.endswith("HL2 alone is enough: still Egyptian cat (.31).")


def test_a_class_that_is_not_the_models_first_is_not_decided_by_anything():
    known = answer("A2", {"Egyptian cat": (0.1, 0.31), "lynx": (0.39, 0.12)})
    assert sentence(made({"A2": 0.58}), CAT, "done", known).endswith("alone gives it .31.")


def test_answers_about_removing_a_band_are_not_taken_for_keeping_it():
    known = answer("A2", {"Egyptian cat": (0.39, 0.31)}, mode="remove")
    assert "alone" not in sentence(made({"A2": 0.58}), CAT, "done", known)


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_before_anything_is_known_that_is_what_is_said(state):
    assert sentence(None, CAT, state) == "Egyptian cat (.39): nothing is known yet of where the model looks."


def test_without_a_map_the_end_is_said():
    assert "cancelled before its first map" in sentence(None, CAT, "cancelled")
    assert "ended before its first map" in sentence(None, CAT, "error")


def test_while_it_runs_everything_is_so_far_and_about():
    words = sentence(made({"A2": 0.58}, complete=False), CAT, "running")
    assert words.startswith("Egyptian cat (.39), so far: about 58 % of")


@pytest.mark.parametrize("state", ["cancelled", "error"])
def test_a_map_of_a_part_of_the_run_says_so(state):
    words = sentence(made({"A2": 0.58}, complete=False), CAT, state)
    assert words.startswith("Egyptian cat (.39), from part of the run: about 58 %")


def test_an_uncertain_share_has_its_interval_and_rivals():
    widths = [0.3 if name in ("A2", "HL1") else 0.0 for name in NAMES]
    words = sentence(made({"A2": 0.5, "HL1": 0.4}, widths), CAT)
    assert "about 50 % (35 to 65 %) of the score's variance involves the coarse image (A2)" in words
    assert "though HL1 may matter as much" in words


def test_a_certain_order_has_no_rivals():
    assert "may matter" not in sentence(made({"A2": 0.5, "HL1": 0.4}, 0.05), CAT)


def test_an_interval_that_tells_nothing_names_no_share():
    assert "too early to say which scale matters, perhaps the coarse image (A2)" in sentence(
        made({"A2": 1.0}, 2.5, complete=False), CAT, "running"
    )
    assert "not resolved which scale matters, perhaps" in sentence(made({"A2": 1.0}, 2.5), CAT)
    assert "too early" in sentence(made({"A2": 1.0}, np.nan, complete=False), CAT, "running")


def test_no_share_is_above_all_of_the_variance():
    assert "100 % of the score's variance" in sentence(made({"A2": 1.04}, 0.1), CAT)
    assert "104" not in sentence(made({"A2": 1.04}, 0.3), CAT)


def test_a_band_that_acts_with_others_says_so():
    words = sentence(made({"A2": 0.6, "HL1": 0.55}, 0.04, shapley=0.2), CAT)
    assert "much of it only together with other bands" in words
    assert "together" not in sentence(made({"A2": 0.6, "HL1": 0.3}, 0.04), CAT)


def test_an_even_map_has_no_place():
    words = sentence(made({"A2": 0.5}), CAT)
    assert "the map is spread over the image." in words
    assert "densest" not in words


def test_a_map_that_is_spread_unevenly_says_where_it_is_densest():
    values = np.ones(16)
    values[2] = 4.0
    words = sentence(over_pixels(values), CAT)
    assert words == (
        "Egyptian cat (.39): the map is spread over the image, densest around row 6, column 28 (top), with "
        "25 % in a ninth of the image."
    )


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [(0, 0, "upper left"), (3, 3, "lower right"), (3, 0, "lower left"), (0, 3, "upper right")],
)
def test_a_place_is_named_by_thirds_and_pixels(row, column, words):
    said = sentence(made({"A2": 0.5}, values=placed(row, column)), CAT)
    assert f"around row {12 * row + 5}, column {12 * column + 5} ({words})" in said


def test_half_of_an_uneven_map_is_not_most_of_it():
    values = placed(1, 1) + np.where(np.arange(len(CELLS)) < 16, 0.1, 0.0)
    said = sentence(made({"A2": 0.5}, values=values), CAT)
    assert "the largest part of the map (" in said


def test_a_constant_score_has_no_place_and_no_scale():
    words = sentence(made(variance=0.0, values=np.zeros(len(CELLS))), CAT)
    assert words == (
        "Egyptian cat (.39): the score did not change under any perturbation, so no part of the image "
        "matters to it."
    )


def test_values_that_are_no_numbers_make_no_claims():
    unknown = made({"A2": 0.5}, values=np.full(len(CELLS), np.nan))
    assert sentence(unknown, CAT) == "Egyptian cat (.39): the map is zero everywhere."


def test_a_signed_map_speaks_of_itself_and_not_of_a_variance():
    values = placed(2, 2, "HL1") - 0.5 * placed(2, 2)
    words = sentence(made(values=values, variance=np.nan, unit="logit", statistic="sum"), CAT)
    assert "67 % of the map lies in vertical edges (HL1)" in words
    assert "variance" not in words
    assert "around row 29, column 29" in words


def test_a_map_over_pixels_has_a_place_and_no_scale():
    values = np.zeros(16)
    values[5] = 1.0
    words = sentence(over_pixels(values), CAT)
    assert words == (
        "Egyptian cat (.39): most of the map (100 % in a ninth of the image) lies around row 17, column 17 "
        "(upper left)."
    )


def test_frequencies_have_no_place():
    basis = FourierBasis((48, 48))
    cells = Cells.whole(basis)
    words = sentence(made({cells.bands[1].name: 0.5}, cells=cells, basis=basis), CAT)
    assert "row" not in words
    assert "spread" not in words


def test_a_score_is_no_probability():
    known = answer("A2", {"a": (0.9, 0.8)}, target=(10.96, 2.0))
    words = sentence(made({"A2": 0.58}), None, "done", known)
    assert words.startswith("logit of Egyptian cat (10.96): ")
    assert words.endswith("The coarse image alone gives 2.00 instead of 10.96.")


def test_a_label_is_there_or_not():
    dog = Subject("dog", 0.9945, "label")
    known = answer("A2", {"dog": (0.9945, 0.31), "cat": (0.9945, 0.9)})
    assert sentence(made({"A2": 0.58}), dog, "done", known).endswith("alone is not enough (.31).")


def test_the_subject_of_a_class_is_its_probability_and_of_other_targets_their_score():
    image, method = torch.rand(3, 8, 8), Wcam(Sobol(rows=2), levels=1, grid=2)
    model = BlackBox(lambda images: images.mean((2, 3)), class_names=("r", "g", "b"))
    subject = subject_of(method.probe(model, image, "g"))
    assert (subject.name, subject.kind) == ("g", "class")
    assert subject.value == pytest.approx(float(image.mean((1, 2)).softmax(0)[1]))
    assert subject_of(method.probe(model, image, Margin("r", "g"))).kind == "score"
    regression = BlackBox(lambda images: images.mean((1, 2, 3))[:, None])
    assert subject_of(method.probe(regression, image)).kind == "score"


def test_scores_are_written_as_the_front_end_writes_them():
    for value, text in json.loads(NUMBERS.read_text("utf-8")):
        assert format_score(float(value)) == text


def test_unresolved_cells_do_not_change_the_sentence():
    attribution = made({"A2": 0.58})
    kind = np.full(len(CELLS), Kind.UNRESOLVED, np.int8)
    unresolved = replace(attribution, estimate=replace(attribution.estimate, kind=kind))
    assert sentence(unresolved, CAT) == sentence(attribution, CAT)
