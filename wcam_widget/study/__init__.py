"""Studies: what one asks of a model, over data sets, on one machine or many."""

from wcam_widget.study.executors import AbstractExecutor, SerialExecutor
from wcam_widget.study.executors_ray import RayExecutor
from wcam_widget.study.store import StudyWarning, read_table
from wcam_widget.study.study import Study
from wcam_widget.study.tasks import TASKS, Task

__all__ = [
    "TASKS",
    "AbstractExecutor",
    "RayExecutor",
    "SerialExecutor",
    "Study",
    "StudyWarning",
    "Task",
    "read_table",
]
