"""What can be predicted: a task a file, each with its metrics and its baselines."""

from __future__ import annotations

from gru_tune.tasks._base import Direction, Metrics, Task
from gru_tune.tasks.classification import CLASSIFICATION
from gru_tune.tasks.forecasting import FORECASTING
from gru_tune.tasks.labelling import LABELLING
from gru_tune.tasks.regression import REGRESSION

TASKS: dict[str, Task] = {task.name: task for task in (CLASSIFICATION, REGRESSION, FORECASTING, LABELLING)}

__all__ = ["TASKS", "Direction", "Metrics", "Task"]
