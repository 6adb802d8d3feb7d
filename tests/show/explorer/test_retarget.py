"""Another target: its map without the model where scores are kept, its price where not, nothing mistaken."""

import numpy as np
import pytest
import torch
import traitlets

from tests.show.conftest import PATIENCE
from wcam_widget.explain import GradCam, Wcam
from wcam_widget.model import BlackBox, Margin, Probability
from wcam_widget.sensitivity import Derivative, Screened, Sobol
from wcam_widget.show.explorer import retarget
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.questions import Inquiry
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.frame import decode
from wcam_widget.show.selection import Question
from wcam_widget.show.snapshot import about


def finished(session):
    session.start()
    return session.wait(PATIENCE)


@pytest.fixture(autouse=True)
def _without_curves(monkeypatch):
    """The curve of a new map takes passes of its own, which the tests are not to count."""
    monkeypatch.setattr(Inquiry, "retain", lambda self, attribution: iter(()))


def header(screen, trait="_frame"):
    return decode(screen.all(trait)[-1]).header


@pytest.fixture
def dear(monkeypatch):
    """Every price is one that a reader has to agree to."""
    monkeypatch.setattr(retarget, "AT_ONCE", -1.0)


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    return BlackBox(torch.nn.Sequential(*layers).eval())


def test_another_class_is_shown_from_the_scores_of_the_run(session, gate, screen, image, method):
    first = finished(session)
    images = gate.images
    session.retarget(2)
    second = session.wait(PATIENCE)
    assert gate.images == images
    assert second.target != first.target
    np.testing.assert_array_equal(second.values, first.for_target(2).values)
    (alone,) = method(BlackBox(gate), image[None], 2)
    np.testing.assert_allclose(second.values, alone.values, rtol=1e-5)
    assert header(screen)["target"]["label"] == second.target == session.picture.label
    assert screen.all("_status")[-1]["state"] == "done"
    session.deepen()  # goes on with the new class
    assert session.wait(PATIENCE).target == second.target


def test_with_the_target_all_that_was_said_of_the_old_one_goes(session, screen):
    finished(session)
    session.answer(Question((1,), "keep"))
    session.retarget(2)
    turn = next(news for news in screen.news[1:] if "_target" in news)
    assert {"_target", "_frame", "_status", "_known", "_scores", "_layers"} <= set(turn)
    assert "_picture" not in turn
    assert turn["_frame"] == b"" or decode(turn["_frame"]).header["about"] == turn["_target"]["about"]
    session.wait(PATIENCE)
    name = about(session.probe.target)
    assert header(screen)["about"] == screen.all("_target")[-1]["about"] == name
    assert {answer["about"] for answer in session.inquiry.known.values()} == {name}
    assert session.snapshot().latest["about"] == name


def test_answers_that_are_known_follow_without_the_model(session, gate):
    finished(session)
    before = session.answer(Question((1, 2), "keep"))
    images = gate.images
    session.retarget(2)
    assert gate.images == images
    assert set(session.inquiry.known) == {question.key for question in session.inquiry.bands()}
    after = session.answer(Question((1, 2), "keep"))
    assert gate.images == images
    assert after["classes"] == before["classes"]
    assert after["target"]["label"] == session.picture.label != before["target"]["label"]


def test_a_run_that_goes_on_goes_on_with_the_new_target(session, gate, screen, image, method):
    gate.shuts_after = 60
    session.start()
    assert gate.entered.wait(PATIENCE)
    assert gate.shut_by_itself.wait(PATIENCE)
    session.retarget(2)
    gate.open.set()
    after = session.wait(PATIENCE)
    assert after.complete
    (alone,) = method(BlackBox(gate), image[None], 2)
    assert after.target == alone.target
    np.testing.assert_allclose(after.values, alone.values, rtol=1e-5)


def test_what_needs_passes_of_its_own_waits_for_a_yes_and_tells_the_price(dear, network, image, screen):
    session = Session(network, image, 0, Wcam(Derivative(rows=4), levels=2, grid=2), screen)
    finished(session)
    session.retarget(1)
    status = screen.all("_status")[-1]
    assert session.attribution is None
    assert screen.all("_frame")[-1] == b""
    assert status["state"] == "waiting"
    assert status["more"].startswith("Explain again: about ")
    assert "nothing is known yet" in status["answer"]
    with pytest.raises(RuntimeError, match="deepen"):
        session.wait(PATIENCE)
    session.deepen()
    assert session.wait(PATIENCE).target == session.picture.label
    session.close()


def test_without_derivatives_the_map_is_rough_and_the_better_one_has_a_price(dear, network, image, screen):
    session = Session(network, image, 0, Wcam(Screened(rows=8, gradient_rows=4), levels=2, grid=2), screen)
    finished(session)
    session.retarget(1)
    rough = session.wait(PATIENCE)
    assert (rough.target, rough.gradients) == (session.picture.label, 0)
    assert screen.all("_status")[-1]["more"].startswith("Explain again: about ")
    session.deepen()
    better = session.wait(PATIENCE)
    assert better.gradients > 0
    assert not screen.all("_status")[-1]["more"].startswith("Explain again")
    session.close()


def test_what_costs_little_is_explained_at_once(monkeypatch, network, image, screen):
    monkeypatch.setattr(retarget, "AT_ONCE", 1e9)
    session = Session(network, image, 0, GradCam(), screen)
    finished(session)
    session.retarget(1)
    assert session.wait(PATIENCE).target == "logit of class 1"
    session.close()


def test_layers_follow_or_say_what_they_explained(dear, session, screen, network, image):
    (given,) = GradCam()(network, image[None], 0)
    session.add_layer("given", given)
    session.add_layer("scores", Wcam(Sobol(rows=2), levels=1, grid=2))
    finished(session)
    session.retarget(2)
    session.wait(PATIENCE)
    given_now, scores = session.snapshot().extra
    assert given_now.attribution is given
    assert scores.attribution.target == session.picture.label
    assert header(screen, "_layers")["about"] == about(session.probe.target)


def test_a_layer_that_would_take_long_is_left_out(dear, network, image, screen):
    session = Session(network, image, 0, Wcam(Sobol(rows=2), levels=1, grid=2), screen)
    session.add_layer("cam", GradCam())
    finished(session)
    session.retarget(1)
    session.wait(PATIENCE)
    (cam,) = session.snapshot().extra
    assert cam.attribution is None
    assert cam.error.startswith("it explained logit of class 0: add_layer computes it anew, in about")
    session.close()


def test_the_target_of_an_explorer_is_read_set_and_observed(
    front_end, without_front_end_code, gate, image, method
):
    with explore(BlackBox(gate, class_names=["a", "b", "c"]), image, method=method) as explorer:
        explorer.wait(PATIENCE)
        seen = []
        explorer.observe(lambda change: seen.append(change.new), "target")
        explorer.target = "a"
        assert explorer.target == 0
        assert explorer.wait(PATIENCE).target == "logit of a"
        explorer.target = Margin("a", "c")
        assert explorer.target == Margin(0, 2)
        explorer.target = Probability(2)
        assert explorer.wait(PATIENCE).target == "probability of c"
        with pytest.raises(traitlets.TraitError, match="target: 'd' is not a class name"):
            explorer.target = "d"
        assert explorer.target == Probability(2)
        assert seen == [0, Margin(0, 2), Probability(2)]
        assert explorer.progress == 1.0
        assert front_end.updates("_target")[-1]["about"] == "Probability(class_id=2)"
