"""The retention curve: its points are the model's own, its depth is that of ``sufficiency``."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.show.conftest import PATIENCE
from wcam_widget.evaluate import sufficiency
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.curve import ENERGY, OWN, RANDOM, coarse_to_fine, log_spaced
from wcam_widget.show.explorer.questions import Inquiry
from wcam_widget.show.frame import decode
from wcam_widget.show.frames import retention_frame
from wcam_widget.show.retention_search import TOGETHER, RetentionSearch
from wcam_widget.show.selection import Question
from wcam_widget.show.summary import subject_of

NAMES = ("cat", "dog", "owl")
METHOD = Wcam(Sobol(rows=8), levels=2, grid=2)


def scores(images):
    """Three classes that different scales decide for; class 0 has the image as it is."""
    rough = images.diff(dim=3).abs().mean((1, 2, 3))
    return 9 * torch.stack([rough, 0.3 * images.mean((1, 2, 3)), rough * 0 + 0.05], 1)


@pytest.fixture
def model():
    return BlackBox(scores, class_names=NAMES)


@pytest.fixture
def attribution(model, image):
    (one,) = METHOD(model, image[None])
    return one


@pytest.fixture
def curves(model, image, attribution):
    probe = METHOD.probe(model, image, None)
    return list(RetentionSearch(probe, attribution, subject_of(probe)).steps())


def test_points_are_what_the_model_says_of_the_first_cells(curves, model, image, attribution):
    inquiry, last = Inquiry(METHOD.probe(model, image, None)), curves[-1]
    values = attribution.values.astype(np.float32)
    np.testing.assert_array_equal(last.order, np.argsort(-values, kind="stable"))
    line = last.lines[OWN]
    assert last.subject == "cat"
    assert last.unit == "probability, softmax"
    for count, score, decided in zip(line.counts, line.scores, line.classes, strict=True):
        if count == 0:
            continue
        (answer,) = inquiry.answer([Question(tuple(sorted(last.order[:count].tolist())), "keep")])
        said = {one["label"]: one["reconstruction"] for one in answer["classes"]}
        assert score == pytest.approx(said["cat"], abs=1e-6)
        assert last.classes[decided] == max(said, key=said.get)


def test_the_smallest_set_is_that_of_sufficiency(curves, model, image, attribution):
    (found,) = sufficiency(model, image[None], [attribution]).sets
    assert 1 < curves[-1].depth == found.depth
    line = curves[-1].lines[OWN]
    assert {curves[-1].depth - 1, curves[-1].depth} <= set(line.counts.tolist())


def test_shares_are_of_coefficients_and_end_at_all(curves):
    for name in (OWN, ENERGY, RANDOM):
        line = curves[-1].lines[name]
        assert (np.diff(line.counts) > 0).all()
        assert (np.diff(line.shares) > 0).all()
        assert line.shares[-1] == pytest.approx(1.0)
        assert line.scores[-1] == pytest.approx(curves[-1].original, abs=1e-6)


def test_a_curve_streams_and_no_batch_is_long(model, image, attribution):
    probe, batches = METHOD.probe(model, image, None), []
    logits = type(probe).logits

    def counted(self, weights):
        batches.append(len(weights))
        return logits(self, weights)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(probe), "logits", counted)
        curves = list(RetentionSearch(probe, attribution, subject_of(probe)).steps())
    assert max(batches) <= TOGETHER
    assert [curve.complete for curve in curves] == [False] * (len(curves) - 1) + [True]
    points = [sum(len(line.counts) for line in curve.lines.values()) for curve in curves]
    assert points == sorted(points)
    assert points[0] <= TOGETHER


def test_a_frame_of_a_curve_holds_all_of_it_whatever_classes_are_called(curves):
    hostile = replace(curves[-1], classes=tuple("x" * 10_000 for _ in curves[-1].classes))
    frame = decode(retention_frame(hostile, "run-1"))
    assert frame.header["kind"] == "retention"
    np.testing.assert_array_equal(frame.sections["order"], curves[-1].order)
    (own, *_) = frame.header["lines"]
    assert own["counts"] == curves[-1].lines[OWN].counts.tolist()


def test_a_single_score_decides_by_its_sign(image):
    model = BlackBox(lambda images: images.mean((1, 2, 3))[:, None] - 0.4)
    probe = METHOD.probe(model, image, None)
    (attribution,) = METHOD(model, image[None])
    last = list(RetentionSearch(probe, attribution, subject_of(probe)).steps())[-1]
    assert last.classes[0] == "above 0"
    assert last.unit == ""


def test_a_run_publishes_its_curve_and_one_that_goes_on_keeps_it(session, screen):
    session.start()
    session.wait(PATIENCE)
    frames = [decode(frame).header for frame in screen.all("_retention")]
    assert frames[-1]["complete"]
    assert frames[-1]["passes"] == session.attribution.done
    session.deepen()
    session.wait(PATIENCE)
    last = decode(screen.all("_retention")[-1]).header
    assert last["complete"]
    assert last["passes"] == session.attribution.done > frames[-1]["passes"]


def test_another_target_pays_for_the_new_order_alone_and_the_first_one_for_nothing(session, gate, screen):
    session.start()
    session.wait(PATIENCE)
    first = decode(screen.all("_retention")[-1])
    images = gate.images
    session.retarget(2)
    session.wait(PATIENCE)
    second = decode(screen.all("_retention")[-1])
    assert second.header["complete"]
    assert first.sections["order"].tolist() != second.sections["order"].tolist()
    own = next(line for line in second.header["lines"] if line["name"] == OWN)
    assert 0 < gate.images - images <= len(own["counts"])
    images = gate.images
    session.retarget(int(screen.snapshots[0].picture.target.class_id))
    session.wait(PATIENCE)
    again = decode(screen.all("_retention")[-1])
    assert again.header["lines"] == first.header["lines"]
    session.retarget(2)
    session.wait(PATIENCE)
    assert gate.images == images


def test_what_a_reader_asks_of_the_top_cells_is_known_from_the_curve(session, gate, screen):
    session.start()
    session.wait(PATIENCE)
    curve, images = session.inquiry.curve, gate.images
    count = int(curve.lines[OWN].counts[2])
    session.answer(Question(tuple(sorted(curve.order[:count].tolist())), "keep"))
    assert gate.images == images


def test_a_run_that_is_cancelled_has_no_curve(session, screen):
    session.cancel()
    session._cancelled.set()
    session.start()
    with pytest.raises(RuntimeError, match="cancelled"):
        session.wait(PATIENCE)
    assert screen.all("_retention") == []


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_coarse_to_fine_has_every_number_once_and_the_ends_first(count):
    numbers = coarse_to_fine(np.arange(count))
    assert sorted(numbers.tolist()) == list(range(count))
    assert set(numbers[:2].tolist()) == {0, count - 1}
    assert {1, count} <= set(log_spaced(count, 16).tolist()) <= set(range(1, count + 1))
