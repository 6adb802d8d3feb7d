"""How tests are shared out to workers: by file, in the order of collection."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

NOTEBOOKS = "tests/test_notebooks.py"


class ByFile(LoadFileScheduling):
    """A file on one worker, so that what its tests share is made once; but notebooks run apart.

    All pages are opened on one worker, by one Chromium, while the other worker takes the rest.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if file.startswith("tests/browser/"):
            return "browser"
        return nodeid if file == NOTEBOOKS and test.startswith("test_notebooks_run") else file


def early(nodeid: str) -> bool:
    """Whether a test is begun with, so that no worker ends on minutes of its own."""
    return nodeid.startswith(f"{NOTEBOOKS}::")
