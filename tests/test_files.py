"""Files are written whole or not at all, whoever else writes them."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from wcam_widget.files import atomic_write


def write(path, text):
    with atomic_write(path) as part:
        part.write_text(text)


OFTEN = """
import pathlib, sys
from wcam_widget.files import atomic_write
for _ in range(50):
    with atomic_write(pathlib.Path(sys.argv[1])) as part:
        part.write_text(sys.argv[2] * 1000)
"""


def test_many_threads_may_write_one_path(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(tmp_path / "map", str(number) * 1000), range(400)))
    assert [file.name for file in tmp_path.iterdir()] == ["map"]
    assert len(set((tmp_path / "map").read_text())) <= 3


def test_many_processes_may_write_one_path(tmp_path):
    command = [sys.executable, "-c", OFTEN, str(tmp_path / "map")]
    workers = [subprocess.Popen([*command, letter]) for letter in "abc"]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert [file.name for file in tmp_path.iterdir()] == ["map"]
    assert (tmp_path / "map").read_text() in {letter * 1000 for letter in "abc"}


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path, error):
    write(tmp_path / "map", "before")

    def fail():
        with atomic_write(tmp_path / "map") as part:
            part.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "nowhere" / "map", "half")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("map", "before")]


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_permissions_are_those_of_a_plain_open(tmp_path, mask):
    before = os.umask(mask)
    try:
        write(tmp_path / "map", "x")
        (tmp_path / "plain").write_text("x")
        modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("map", "plain")]
        assert modes[0] == modes[1] == 0o666 & ~mask
        (tmp_path / "map").chmod(0o640)
        write(tmp_path / "map", "y")
        assert stat.S_IMODE((tmp_path / "map").stat().st_mode) == 0o640
    finally:
        os.umask(before)


def test_a_link_keeps_pointing_at_what_is_written(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "map")
    for text in ("one", "two"):
        write(tmp_path / "link", text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "folder" / "map").read_text() == text


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path):
    write(tmp_path / ("n" * 255), "x")
    assert [len(file.name) for file in tmp_path.iterdir()] == [255]


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(FileExistsError, match="not a regular file"):
            write(tmp_path / name, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
