"""What every test shares: threads, devices, and the browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import settings

from tests import shapes, workers
from tools import chromium

collect_ignore = ["reference/make_corruptions.py"]  # run by hand: it needs packages that no test does

# No test depends on how fast the machine is, and a failure seen in CI is seen again.
# Forty examples of each property: every local run draws others, so that more are seen over time than in one.
settings.register_profile("tests", deadline=None, derandomize=bool(os.environ.get("CI")), max_examples=40)
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    # Workers share the cores; a pool of threads in each would fight over them.
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> workers.ByFile | None:
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # files of few tests are not the quick ones
    return workers.ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    no_gpu = pytest.mark.skip(reason="needs an accelerator: torch.cuda.is_available() is False here")
    for item in items:
        if item.get_closest_marker("gpu") and not torch.cuda.is_available():
            item.add_marker(no_gpu)
    items.sort(key=lambda item: not workers.early(item.nodeid))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of a Chromium that starts."""
    return chromium.ensure()


@pytest.fixture(scope="session")
def chromium_flags() -> list[str]:
    """Arguments every browser of the tests is started with."""
    return list(chromium.FLAGS)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Shapes are not checked: for hundreds of seeds or iterations of what other tests check."""
    with shapes.unchecked():
        yield
