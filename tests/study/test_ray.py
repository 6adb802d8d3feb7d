"""Studies on a local cluster of two workers: equal to the serial ones, also where a worker is killed."""

import gc
import os
import signal
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.study.toys import PROFILE, network, write_pictures
from wcam_widget import Study
from wcam_widget.study import RayExecutor, StudyWarning
from wcam_widget.study.executors_ray import cluster
from wcam_widget.study.sources import ensure_source
from wcam_widget.study.tasks import ensure_tasks
from wcam_widget.study.worker import Job, Worker

pytest.importorskip("ray", reason="needs the package ray: pip install 'wcam_widget[ray]'")
pytestmark = [
    pytest.mark.slow,
    # What Ray itself warns of, and its sockets that the interpreter closes.
    pytest.mark.filterwarnings(
        "ignore::FutureWarning", "ignore::ResourceWarning", "ignore::DeprecationWarning"
    ),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TWO = RayExecutor(workers=2, cpus=1.0)


@pytest.fixture(scope="module")
def ray():
    os.environ |= {"RAY_worker_niceness": "0"}  # Ray's workers give way to others, here to other tests
    with cluster(None) as started:
        yield started
    with warnings.catch_warnings():  # Ray does not wait for the processes that it ends
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_two_workers_give_the_rows_of_one_process(ray, tmp_path):
    write_pictures(tmp_path / "photos", 12)
    (tmp_path / "photos" / "text.jpg").write_text("text")
    tables = {}
    for name, executor in (("serial", "serial"), ("ray", TWO)):
        ask = {"prediction": {}, **PROFILE}
        with pytest.warns(StudyWarning, match="1 of 13 images failed"):
            study = Study(network(), tmp_path / "photos", ask, tmp_path / name, executor).run()
        tables[name] = study.table().drop(columns="seconds")
    pd.testing.assert_frame_equal(tables["ray"][tables["serial"].columns], tables["serial"])


class Dying:
    """A task whose process is killed in the middle of one image, the first time, or each time."""

    __name__ = "mean"

    def __init__(self, mark: Path, always: bool = False) -> None:
        self.mark, self.always = mark, always

    def __call__(self, model, image, label):
        try:
            self.mark.touch(exist_ok=False)
            kill = True
        except FileExistsError:
            kill = self.always
        if kill and (not self.always or image.mean() > 0.99):
            os.kill(os.getpid(), signal.SIGKILL)
        return {"mean": float(image.mean())}


def mean(model, image, label):
    return {"mean": float(image.mean())}


def test_a_killed_worker_loses_nothing(ray, tmp_path):
    write_pictures(tmp_path / "photos", 20)
    serial = Study(network(), tmp_path / "photos", mean, tmp_path / "serial").run().table()
    dying = Dying(tmp_path / "mark")
    killed = Study(network(), tmp_path / "photos", dying, tmp_path / "ray", TWO).run().table()
    assert dying.mark.exists()
    pd.testing.assert_frame_equal(
        killed.drop(columns="seconds")[serial.columns.drop("seconds")], serial.drop(columns="seconds")
    )


@pytest.mark.cluster
def test_an_image_at_which_every_worker_dies_is_a_failure(ray, tmp_path):
    write_pictures(tmp_path / "photos", 5)
    Image.fromarray(np.full((16, 16, 3), 255, np.uint8)).save(tmp_path / "photos" / "white.png")
    dying = Dying(tmp_path / "mark", always=True)
    with pytest.warns(StudyWarning, match="1 of 6 images failed: 1 x the worker died 3 times"):
        table = Study(network(), tmp_path / "photos", dying, tmp_path / "ray", TWO).run().table()
    assert list(table.loc[table["status"] == "failed", "name"]) == ["white.png"]


@pytest.mark.cluster
def test_images_are_read_a_bounded_number_ahead(ray, tmp_path):
    taken = []
    write_pictures(tmp_path / "photos", 20)
    worker = Worker(network(), ensure_source(tmp_path / "photos"), ensure_tasks("prediction"))
    jobs = (taken.append(place) or Job(place) for place in range(20))
    rows = TWO.map(worker, jobs)
    next(rows)
    assert len(taken) == 4
    rows.close()
