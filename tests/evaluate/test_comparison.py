"""The table of methods: what stands in it is what the measures say, and the null rankings are asked once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget.evaluate import Comparison, compare_methods, deletion, insertion
from wcam_widget.explain import GradCam, WaveletGradient
from wcam_widget.explain.method import AbstractMethod

METHODS = {"cam": GradCam("1"), "gradient": WaveletGradient("product")}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)
    )


@pytest.fixture(scope="module")
def images():
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(4))


@pytest.fixture(scope="module")
def table(net, images) -> Comparison:
    return compare_methods(net, images, METHODS)


def test_its_numbers_are_those_of_the_measures(net, images, table):
    tops = net(images).argmax(1).tolist()
    maps = METHODS["gradient"](net, images, tops)
    row = table.rows[1]
    assert row.name == "gradient"
    for space in ("pixels", "wavelet"):
        expected = insertion(net, images, maps, tops, space)
        np.testing.assert_allclose(row.results["insertion", space].values, expected.values, rtol=1e-5)
        expected = deletion(net, images, maps, tops, space)
        np.testing.assert_allclose(row.results["deletion", space].values, expected.values, rtol=1e-5)
        for null in table.nulls:
            np.testing.assert_allclose(
                null.results["deletion", space].values, expected.null[null.name].values, rtol=1e-5
            )
    assert (row.forwards, row.backwards) == (1.0, 1.0)


def test_the_best_is_bold_and_lower_is_better_where_it_is(table):
    lines = [line.strip("| ").split(" | ") for line in str(table).splitlines()]
    heads = lines[0]
    assert heads[:2] == ["insertion ↑, pixels", "insertion ↑, wavelet"]
    assert heads[2] == "deletion ↓, pixels"
    assert [line[0] for line in lines[4:]] == ["*energy*", "*random*", "*centre*"]
    for at, column in enumerate(table.columns, start=1):
        means = {line[0]: float(line[at].strip("*").split(" ±")[0]) for line in lines[2:4]}
        bold = [line[0] for line in lines[2:4] if line[at].startswith("**")]
        assert table.best(*column) in bold
        top = (min if column[0] == "deletion" else max)(means.values())
        assert bold == [name for name, mean in means.items() if mean == top]
    assert table._repr_markdown_() == str(table)


def test_every_row_has_the_null_rankings_beside_it(table):
    for row in table.rows:
        for column, result in row.results.items():
            assert list(result.null) == ["energy", "random", "centre"]
            assert result.null["energy"] is table.rows[0].results[column].null["energy"]


def test_what_is_removed_at_random_is_asked_about_once(net, images, monkeypatch):
    asked = []
    plain = net.forward
    monkeypatch.setattr(net, "forward", lambda batch: (asked.append(len(batch)), plain(batch))[1])
    settings = {"measures": ["mu-fidelity"], "domains": ["pixels"]}
    prices = []
    for methods in (METHODS, METHODS | {f"more {name}": one for name, one in METHODS.items()}):
        asked.clear()
        compare_methods(net, images, methods, **settings)
        prices.append(sum(asked))
    explaining = 3 * 4  # two methods more: a pass that looks for the layer once, and a few for each image
    assert prices[1] - prices[0] <= explaining


class Interrupted(AbstractMethod):
    """A method during which someone presses Ctrl-C."""

    def steps(self, model, image, target=None, stream=0):
        raise KeyboardInterrupt
        yield


def test_an_interrupt_keeps_whole_rows(net, images):
    methods = {"cam": GradCam("1"), "slow": Interrupted(), "never": GradCam("1")}
    with pytest.warns(UserWarning, match="interrupted: 1 of 3 methods are returned"):
        found = compare_methods(net, images, methods, measures=["insertion"], domains=["pixels"])
    assert [row.name for row in found.rows] == ["cam"]
    with pytest.raises(KeyboardInterrupt):
        compare_methods(net, images, {"slow": Interrupted()}, measures=["insertion"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"methods": {}}, "methods: found none"),
        ({"measures": ["insertion", "beauty"]}, "measures: found 'beauty'; accepted are insertion, deletion"),
        ({"measures": []}, "measures: found 'none'"),
        ({"domains": ["own"]}, "domains: found 'own', which differs from method to method"),
        ({"domains": ["fourier"]}, "domain: found 'fourier'; accepted are own, pixels, wavelet"),
        ({"domains": []}, "domains: found none"),
        ({"targets": [0, 1]}, "targets has 2 entries for 3 images"),
    ],
)
def test_bad_arguments_are_named(net, images, arguments, message):
    with pytest.raises(ValueError, match=message):
        compare_methods(**({"model": net, "images": images, "methods": METHODS} | arguments))
