from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wcam_widget.basis import Cells, WaveletBasis
from wcam_widget.show.selection import MODES, Question, ensure_question, ensure_selection

CELLS = Cells.regular(WaveletBasis((16, 16), levels=2), 2)  # 28 cells in 7 bands
COUNT = len(CELLS)
choices = st.sets(st.integers(0, COUNT - 1)).map(lambda cells: tuple(sorted(cells)))


@given(choices.filter(bool), st.sampled_from(MODES))
def test_a_key_says_exactly_which_cells(selection, mode):
    key = Question(selection, mode).key
    said, runs = key.split(":")
    bounds = [tuple(map(int, run.split("-"))) for run in runs.split(",")]
    assert said == mode
    assert tuple(cell for first, last in bounds for cell in range(first, last + 1)) == selection
    assert all(stop + 1 < start for (_, stop), (start, _) in pairwise(bounds))


@given(choices)
def test_keeping_and_removing_are_complements_unless_nothing_is_selected(selection):
    kept, rest = (Question(selection, mode).mask(COUNT) for mode in MODES)
    if selection:
        np.testing.assert_array_equal(kept, ~rest)
        assert np.flatnonzero(kept).tolist() == list(selection)
    else:
        assert kept.all()
        assert rest.all()


@given(st.lists(st.integers(0, COUNT - 1)))
def test_a_selection_may_be_written_in_any_order_and_type(cells):
    expected = sorted(set(cells))
    mask = np.isin(np.arange(COUNT), cells)
    for written in (
        cells,
        tuple(cells),
        set(cells),
        np.array(cells, np.int16),
        torch.tensor(cells).long(),
        mask,
    ):
        assert ensure_selection(written, CELLS) == expected


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ([28], "there is no cell 28; accepted are cell ids, 0 to 27, or 28 truth values"),
        ([3, -1], "there is no cell -1"),
        ([1.0], r"found float64 of shape \(1,\)"),
        ([[1, 2]], r"found int64 of shape \(1, 2\)"),
        ([True, False], r"found bool of shape \(2,\)"),
        (["1"], "found <U1"),
        ("HL2", r"found <U3 of shape \(\)"),
        (None, r"found object of shape \(\)"),
        ([[1], [2, 3]], "inhomogeneous"),
        ({"a": 1}, r"found object of shape \(\)"),
        (7, r"found int64 of shape \(\)"),
    ],
)
def test_what_names_no_cells_is_refused(selection, message):
    with pytest.raises(ValueError, match=f"selection: .*{message}"):
        ensure_selection(selection, CELLS)


@pytest.mark.parametrize("mode", ["isolate", None, ["keep"], 1])
def test_an_unknown_mode_is_refused(mode):
    with pytest.raises(ValueError, match="mode must be 'keep' or 'remove'; found"):
        ensure_question([], mode, CELLS)
