"""Going on with rows of some cells alone: what is bought, what is said of it, and who cannot."""

import numpy as np
import pytest
import torch

from tests.show.conftest import PATIENCE
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Kind, Screened, Sobol
from wcam_widget.sensitivity.analyses.screened_state import ScreenedState
from wcam_widget.show.explorer import retarget
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.session import Session


def finished(session):
    session.start()
    return session.wait(PATIENCE)


@pytest.fixture
def screened(image, screen):
    """A session of a method that can give rows to some cells."""
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    method = Wcam(Screened(rows=24, gradient_rows=16, tolerance=0.05), levels=2, grid=2)
    one = Session(BlackBox(torch.nn.Sequential(*layers).eval()), image, 0, method, screen)
    yield one
    one.close()


def own_rows(attribution):
    return attribution.traces[0].run.state.own.count.sum(0)


def uncertain(attribution):
    """Three cells that more rows tell of, ascending."""
    known = np.flatnonzero(attribution.kind != Kind.BOUNDED)
    return tuple(sorted(known[np.argsort(-attribution.values[known])][:3].tolist()))


def test_rows_go_to_the_chosen_cells_and_the_reason_says_what_became_known(screened, screen):
    first = finished(screened)
    cells, before = uncertain(first), own_rows(first)
    offer = screened.offered(cells)
    assert offer.words.startswith("Run these 3 cells deeper: about ")
    assert offer.seconds == pytest.approx(first.seconds * offer.passes / first.done)
    screened.deepen(cells)
    second = screened.wait(PATIENCE)
    assert second.done == first.done + offer.passes
    gained = own_rows(second) - before
    assert set(np.flatnonzero(gained)) == set(cells)
    widths = [(one.high - one.low)[list(cells)] for one in (first, second)]
    assert np.median(widths[1] / widths[0]) < 1
    stop = screen.all("_status")[-1]["stop"]
    assert stop.startswith("Stopped: all rows are done: ")
    assert "chosen cells" in stop
    assert "narrower" in stop
    assert screened.offered().words.startswith("Run deeper: ")
    screened.deepen()
    third = screened.wait(PATIENCE)
    assert (own_rows(third) > own_rows(second)).sum() > len(cells)


def test_a_run_of_some_cells_can_be_cancelled_and_continued(screened, monkeypatch):
    first = finished(screened)
    cells, exchange = uncertain(first), ScreenedState.exchange

    def cut(state, *arguments):
        exchange(state, *arguments)
        screened.cancel()

    with monkeypatch.context() as patch:
        patch.setattr(ScreenedState, "exchange", cut)
        screened.deepen(cells)
        assert not screened.wait(PATIENCE).complete
    offer = screened.offered()
    assert offer.does == "Continue"
    passes = offer.passes + screened.attribution.done
    screened.deepen()
    assert screened.wait(PATIENCE).done == passes
    assert set(np.flatnonzero(own_rows(screened.attribution) - own_rows(first))) == set(cells)


def test_a_rough_map_of_another_target_keeps_its_price_when_some_cells_go_deeper(screened, monkeypatch):
    monkeypatch.setattr(retarget, "AT_ONCE", -1.0)
    finished(screened)
    screened.retarget(1)
    rough = screened.wait(PATIENCE)
    screened.deepen((0, 1))
    better = screened.wait(PATIENCE)
    assert (own_rows(better) > own_rows(rough)).nonzero()[0].tolist() == [0, 1]
    assert screened.offered().does == "Explain again"


def test_a_method_whose_rows_are_of_all_cells_says_so_and_offers_all(session):
    finished(session)
    with pytest.raises(RuntimeError, match="every row of Sobol is of all cells: it goes deeper in all"):
        session.deepen((1, 2))
    assert session.offered().does == "Run deeper"


def test_more_rows_of_cells_that_are_proven_small_are_not_sold(screened):
    first = finished(screened)
    proven = tuple(np.flatnonzero(first.kind == Kind.BOUNDED)[:2].tolist())
    assert proven
    with pytest.raises(RuntimeError, match="more rows of these 2 cells would tell nothing new"):
        screened.offered(proven)


def test_a_score_that_does_not_move_sells_nothing(image, screen):
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 2))
    torch.nn.init.zeros_(net[1].weight)
    method = Wcam(Screened(rows=4, gradient_rows=4), levels=2, grid=2)
    session = Session(BlackBox(net), image, 0, method, screen)
    finished(session)
    with pytest.raises(RuntimeError, match="this cell would tell nothing new"):
        session.deepen((1,))
    session.close()


def test_cells_go_deeper_from_python_by_ids_by_a_selection_and_by_band(
    front_end, without_front_end_code, image
):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    method = Wcam(Screened(rows=8, gradient_rows=4, tolerance=0.05), levels=2, grid=2)
    with explore(net, image, 0, method) as explorer:
        first = explorer.wait(PATIENCE)
        explorer.selection = [1, 3]
        explorer.deepen(cells=explorer.selection)
        second = explorer.wait(PATIENCE)
        assert np.flatnonzero(own_rows(second) - own_rows(first)).tolist() == [1, 3]
        explorer.deepen(cells="A2")
        third = explorer.wait(PATIENCE)
        assert set(np.flatnonzero(own_rows(third) - own_rows(second))) <= set(first.cells.in_band("A2"))
        for cells, found in (
            ([], "found none"),
            ([99], "there is no cell 99; accepted are"),
            ("HL9", "there is no band 'HL9'; accepted are cell ids, "),
            (np.array([0.5]), "found float64"),
        ):
            with pytest.raises(ValueError, match=f"cells: {found}"):
                explorer.deepen(cells=cells)


def test_sides_go_deeper_together_where_ids_mean_the_same(without_front_end_code, image):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    method = Wcam(Screened(rows=8, gradient_rows=4, tolerance=0.05), levels=2, grid=2)
    with explore(net, [image, image.flip(2)], 0, method) as explorer:
        explorer.wait(PATIENCE)
        before = explorer.attributions
        explorer.deepen(cells=[0, 1])
        explorer.wait(PATIENCE)
        for one, other in zip(before, explorer.attributions, strict=True):
            assert np.flatnonzero(own_rows(other) - own_rows(one)).tolist() == [0, 1]
    with explore(net, [image, image[:, :, :12]], 0, method) as explorer:
        explorer.wait(PATIENCE)
        with pytest.raises(ValueError, match="cells: these ids mean other cells on other sides"):
            explorer.deepen(cells=[0, 1])
        explorer.deepen(cells="A2")
        explorer.wait(PATIENCE)


def test_a_front_end_is_told_the_price_or_why_there_is_none(front_end, without_front_end_code, image, gate):
    method = Wcam(Sobol(rows=4), levels=2, grid=2)
    with explore(gate, image, method=method) as explorer:
        explorer.wait(PATIENCE)
        for name, params in (("1", {"cells": [1]}), ("2", {"cells": []}), ("3", {"cells": "<b>"}), ("4", {})):
            front_end.say(t="req", id=name, client="c", method="price", params=params)
        errors = {one["id"]: one["message"] for one in front_end.custom("err")}
        assert errors["1"].startswith("every row of Sobol")
        assert errors["2"].startswith("cells: found none")
        assert errors["3"].startswith("cells: there is no band")
        (price,) = front_end.custom("res")
        assert price["result"]["words"].startswith("Run deeper: about ")
