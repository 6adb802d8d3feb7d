"""What a study measures of an image: pure functions from a model and an image to a row of named values."""

from wcam_widget.study.tasks.registry import TASKS, Task, ensure_tasks

__all__ = ["TASKS", "Task", "ensure_tasks"]
