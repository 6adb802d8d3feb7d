import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.show.pages.network.operators import cases, plan_of_case, recorded
from wcam_widget.show.pages.network.evaluation import OPERATORS, evaluate

FILE = Path(__file__).parents[3] / "reference/network_operators.json"


@pytest.mark.parametrize("name", cases())
def test_a_step_gives_what_torch_does(name):
    inputs, settings, result = cases()[name]
    found = evaluate(plan_of_case(inputs, name, settings, result), inputs[0])
    torch.testing.assert_close(found, result, atol=1e-5, rtol=1e-5)


def test_there_is_a_case_for_every_operator():
    assert {name.split()[0] for name in cases()} == OPERATORS.keys()


def test_the_front_end_is_tested_with_these_numbers():
    file = json.loads(FILE.read_text("utf-8"))
    made = json.loads(json.dumps(recorded()))
    assert [one["name"] for one in file] == [one["name"] for one in made]
    for before, now in zip(file, made, strict=True):
        assert before["plan"] == now["plan"]
        for one, other in zip(
            [*before["inputs"], before["result"]], [*now["inputs"], now["result"]], strict=True
        ):
            np.testing.assert_allclose(one, other, atol=1e-4)
