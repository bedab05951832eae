"""What ``check --time`` measures."""

from __future__ import annotations

from pathlib import Path

from gru_tune import config, timing
from gru_tune.data.prepare import prepare

CONFIG = """\
task: classification
data: {kind: arrays, path: "builtin:digits"}
model: {units: 2}
training: {batch_size: 2048, epochs: 2, learning_rate: 0.01}
search: {strategy: random, trials: 1}
"""


def test_a_step_is_not_mistaken_for_compiling_where_an_epoch_is_one_step(tmp_path: Path) -> None:
    file = tmp_path / "digits.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    found = config.load(file)
    pace = timing.measure(found.settings({}), prepare(found))
    assert pace.steps == 1
    assert pace.step < pace.compilation / 2
