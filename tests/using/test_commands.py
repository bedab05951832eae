from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from gru_tune.cli import main
from tests.using.studies import finished

TABLE = pd.DataFrame({"a": range(30), "b": 1.0, "y": range(30)})


@pytest.fixture
def study(tmp_path: Path) -> Path:
    TABLE.to_csv(tmp_path / "data.csv", index=False)
    bad = TABLE.astype({"a": object})
    bad.loc[3, "a"] = "four"
    bad.to_csv(tmp_path / "bad.csv", index=False)
    return finished(
        tmp_path, "regression", {"kind": "wide", "path": "data.csv", "inputs": ["a", "b"], "target": "y"}
    )


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


TOLD = "1 of 30 rows of bad.csv cannot be used: 'a' holds 'four' where a number belongs (row 4)"


def test_predictions_go_to_standard_output_or_a_file(study: Path, tmp_path: Path) -> None:
    done = run("predict", study, tmp_path / "data.csv")
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 31
    out = tmp_path / "out.csv"
    quiet = run("predict", study, tmp_path / "data.csv", "-o", out)
    assert (quiet.exit_code, quiet.output) == (0, "")
    assert out.read_text(encoding="utf-8") == done.stdout


def test_bad_rows_stop_everything_unless_they_are_to_be_left_out(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    done = run("predict", study, tmp_path / "bad.csv", "-o", out)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"{TOLD}; mend them, or leave them out with --skip-bad\n"
    assert not out.exists()

    done = run("predict", study, tmp_path / "bad.csv", "-o", out, "--skip-bad")
    assert (done.exit_code, done.stderr) == (0, f"left out: {TOLD}\n")
    assert pd.read_csv(out)["row"].tolist() == [1, 2, 3, *range(5, 31)]


def test_metrics_as_text_and_as_json(study: Path, tmp_path: Path) -> None:
    text = run("evaluate", study, tmp_path / "bad.csv", "--skip-bad")
    assert text.exit_code == 0
    assert text.stdout.startswith(f"{study} on 29 sequences of bad.csv\n")
    assert text.stderr == f"left out: {TOLD}\n"
    found = json.loads(run("evaluate", study, tmp_path / "bad.csv", "--skip-bad", "--json").stdout)
    assert found["count"] == 29
    assert found["notes"] == [f"left out: {TOLD}"]
    assert f"{found['metrics']['rmse']:.6g}" in text.stdout


def test_a_file_that_is_not_there_is_a_usage_error(study: Path, tmp_path: Path) -> None:
    done = run("predict", study, tmp_path / "nothing.csv")
    assert done.exit_code == 2
    assert "does not exist" in done.stderr


PROBE = """
import sys
from gru_tune.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print(code, *sorted({m.split(".")[0] for m, there in sys.modules.items() if there} & {"keras", "jax", "tensorflow"}))
"""


@pytest.mark.parametrize(
    ("file", "expected"), [("bad.csv", "1"), ("data.csv", "0 jax keras")], ids=["bad", "good"]
)
def test_a_framework_is_loaded_when_the_rows_are_good_and_only_the_studys(
    study: Path, tmp_path: Path, file: str, expected: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "predict", str(study), str(tmp_path / file)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout.splitlines()[-1] == expected, done.stderr
