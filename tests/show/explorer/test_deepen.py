"""Going on with a run that ended: its price, the same views, and what may go wrong on the way."""

import threading
from dataclasses import replace

import pytest
import torch

from tests.show.conftest import PATIENCE
from wcam_widget.explain import GradCam, Wcam
from wcam_widget.model import BlackBox
from wcam_widget.perturb.steadiness import AFTER, BEFORE
from wcam_widget.sensitivity import Kind, Sobol
from wcam_widget.show.explorer.offer import offer_of, stop_words
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.frame import decode


def finished(session):
    session.start()
    return session.wait(PATIENCE)


def test_a_finished_run_says_why_it_stopped_and_what_more_costs(session, screen):
    attribution = finished(session)
    status = screen.all("_status")[-1]
    assert status["stop"].startswith("Stopped: the planned rows are done")
    assert status["more"].startswith("Run deeper: about ")
    assert session._run.offer.passes == gone_on(attribution, 2, runs=2) - attribution.done


def gone_on(first, times, runs):
    """Passes after so many times the rows, in so many runs; after each the image is looked at again."""
    return times * (first.evaluations - BEFORE - AFTER) + BEFORE + runs * AFTER


def test_going_on_streams_into_the_same_run_and_wait_waits_for_it(session, screen):
    first = finished(session)
    frames, known = len(screen.all("_frame")), session.inquiry.known
    session.deepen()
    second = session.wait(PATIENCE)
    assert second.complete
    assert second.evaluations == gone_on(first, 2, runs=2)
    headers = [decode(frame).header for frame in screen.all("_frame")[frames:]]
    assert headers[-1]["complete"]
    assert {header["run"] for header in headers} == {session.picture.run}
    assert screen.all("_status")[-1]["state"] == "done"
    assert session.inquiry.known is known  # answers of the model do not depend on the rows
    session.deepen()  # and once more
    assert session.wait(PATIENCE).evaluations == gone_on(first, 4, runs=3)


def test_while_it_runs_nothing_is_on_offer(session, gate, screen):
    finished(session)
    gate.shut()
    session.deepen()
    screen.wait_for(lambda: screen.all("_status")[-1]["state"] == "running")
    status = screen.all("_status")[-1]
    assert status["more"] == status["stop"] == ""
    with pytest.raises(RuntimeError, match="goes on"):
        session.deepen()
    with pytest.raises(TimeoutError):
        session.wait(0.01)
    gate.open.set()
    session.wait(PATIENCE)


def test_before_its_first_step_a_deeper_run_tells_its_own_end(session, gate, screen):
    first = finished(session)
    passes = session._run.offer.passes
    gate.shut()
    session.deepen()
    screen.wait_for(lambda: screen.all("_status")[-1]["state"] == "running")
    status = screen.all("_status")[-1]
    assert (status["done"], status["total"]) == (first.done, first.done + passes)
    assert status["seconds_left"] > 0
    gate.open.set()
    second = session.wait(PATIENCE)
    assert second.planned == first.done + passes


def cancelled(session, gate):
    gate.shuts_after = gate.images + 40
    session.start()
    assert gate.shut_by_itself.wait(PATIENCE)
    session.cancel()
    gate.open.set()
    return session.wait(PATIENCE)


def test_a_cancelled_run_is_continued_to_its_planned_end(session, gate, screen):
    partial = cancelled(session, gate)
    assert not partial.complete
    status = screen.all("_status")[-1]
    assert status["stop"] == f"Cancelled after {partial.done} of {partial.planned} passes."
    assert status["more"].startswith("Continue: about ")
    session.deepen()
    attribution = session.wait(PATIENCE)
    assert attribution.complete
    assert attribution.evaluations == partial.planned
    assert session.inquiry.known


def test_a_deeper_run_can_be_cancelled_and_continued(session, gate):
    first = finished(session)
    gate.shut()
    session.deepen()
    assert gate.entered.wait(PATIENCE)
    session.cancel()
    gate.open.set()
    partial = session.wait(PATIENCE)
    assert first.evaluations < partial.evaluations < 2 * first.evaluations
    session.deepen()
    assert session.wait(PATIENCE).evaluations == gone_on(first, 2, runs=2)


def test_an_error_on_the_way_keeps_the_map_and_offers_nothing(session, gate, screen, caplog):
    first = finished(session)
    gate.error = ZeroDivisionError("on purpose")
    session.deepen()
    with pytest.raises(Exception, match="on purpose"):
        session.wait(PATIENCE)
    assert session.attribution is first
    status = screen.all("_status")[-1]
    assert (status["state"], status["more"]) == ("error", "")
    assert "on purpose" in caplog.text


def test_closing_on_the_way_ends_it(session, gate, screen):
    finished(session)
    gate.shut()
    session.deepen()
    assert gate.entered.wait(PATIENCE)
    closing = threading.Thread(target=session.close)
    closing.start()
    gate.open.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    status = screen.all("_status")[-1]
    assert (status["state"], status["more"]) == ("cancelled", "")


def test_what_a_closed_worker_never_begins_is_not_left_running(session, screen):
    first = finished(session)
    session.worker.close()
    session.deepen()
    assert screen.all("_status")[-1]["state"] == "cancelled"
    assert session._run.ended.is_set()
    assert session.attribution is first


def test_an_interrupt_while_waiting_leaves_a_run_that_can_go_on(session, gate, monkeypatch):
    finished(session)
    gate.shut()
    session.deepen()
    assert gate.entered.wait(PATIENCE)
    ended = session._run.ended

    class Interrupted:
        set = staticmethod(ended.set)

        def wait(self, timeout):
            monkeypatch.undo()
            gate.open.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(session._run, "ended", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        session.wait()
    session.deepen()
    assert session.wait(PATIENCE).complete


def test_a_method_that_cannot_go_on_offers_nothing(image, screen):
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    session = Session(BlackBox(net), image, 0, GradCam(layer="1"), screen)
    finished(session)
    assert screen.all("_status")[-1]["more"] == ""
    with pytest.raises(RuntimeError, match="nothing more"):
        session.deepen()
    session.close()


def test_the_price_is_what_is_left_at_the_speed_so_far(image, method):
    *_, attribution = method.steps(lambda images: images.mean((2, 3)), image)
    offer = offer_of(method, replace(attribution, seconds=50.0))
    assert offer.seconds == pytest.approx(50.0 * offer.passes / attribution.done)
    assert offer.words == "Run deeper: about 49 s more"
    assert offer_of(method, replace(attribution, traces=())) is None
    assert offer_of(method, None) is None


ONE_BY_ONE = "all cells that may reach threshold=0.01 were measured one by one, 5 of 28"
TOGETHER = "the budget of 9 evaluations is spent; 4 cells are known only together"
KNOWN = "all rows are done: 1 of the 10 cells that matter most is known to half of their value"


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ("all planned rows are done", "the planned rows are done"),
        (f"{ONE_BY_ONE}; 3 of them are not resolved: raise rows for that", ONE_BY_ONE),
        (f"{TOGETHER}: raise budget, or raise threshold", TOGETHER),
        (f"{KNOWN}; raise rows", KNOWN),
        ("the network changed during the run", "the network changed during the run"),
    ],
)
def test_why_a_run_stopped_is_said_without_advice_for_programmers(image, method, stop, said):
    *_, attribution = method.steps(lambda images: images.mean((2, 3)), image)
    unresolved = replace(attribution.estimate, kind=attribution.kind * 0 + 2)
    attribution = replace(attribution, stop=stop, estimate=unresolved)
    assert stop_words(attribution, "done") == f"Stopped: {said}; 28 of 28 cells are not resolved."
    assert stop_words(attribution, "done", offer_of(method, attribution)).endswith("(before: 28).")


def test_what_more_rows_resolved_is_said(image):
    method = Wcam(Sobol(rows=4), levels=2, grid=2)
    *_, attribution = method.steps(lambda images: images.mean((2, 3)), image)
    kinds = attribution.kind * 0
    resolved = replace(attribution, estimate=replace(attribution.estimate, kind=kinds))
    kinds = kinds.copy()
    kinds[:7] = Kind.UNRESOLVED
    seven = offer_of(method, replace(attribution, estimate=replace(attribution.estimate, kind=kinds)))
    assert stop_words(resolved, "done", seven).endswith("all of the 7 cells that were open are resolved now.")
    assert stop_words(resolved, "running") == stop_words(resolved, "error") == ""
