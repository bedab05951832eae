"""Exit codes, messages and options; what the commands do is tested where it is done."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gru_tune import __version__, page
from gru_tune.cli import main
from gru_tune.errors import DataError, SearchInterrupted
from gru_tune.study import study
from tests import standins
from tests.report import builders


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config whose study is run with stand-ins."""
    monkeypatch.setattr(study, "real_parts", lambda: standins.PARTS)
    path = tmp_path / "toy.yaml"
    path.write_text(standins.CONFIG, encoding="utf-8")
    return path


def run(config: Path, *arguments: object) -> Result:
    return invoke("run", config, "--out", config.parent / "out", "--workers", 0, *arguments)


def test_version_and_help() -> None:
    assert __version__ in invoke("--version").output
    for arguments in (["--help"], ["-h"], ["run", "--help"], ["report", "--help"]):
        assert invoke(*arguments).exit_code == 0
    assert invoke("rum").exit_code == 2
    assert invoke("run").exit_code == 2


def test_run_prints_lines_and_the_result(config: Path) -> None:
    result = run(config, "--trials", 3)
    assert result.exit_code == 0, result.output
    assert "[3/3]" in result.output
    assert "does not beat the baseline “majority class”" in result.output
    verdict, page = result.stdout.splitlines()[-2:]
    assert verdict.startswith("Winner: trial ")
    assert "better than “majority class” (" in verdict
    assert page.startswith("The report as a page: ")
    quiet = run(config, "--trials", 3, "--quiet")
    assert "[3/3]" not in quiet.output
    assert "does not beat the baseline “majority class”" in quiet.output


def test_json_log_is_json_alone(config: Path) -> None:
    result = run(config, "--json-log", "--set", "search.trials=2")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["event"] for line in found].count("finished") == 2


def test_short_options_are_settings(config: Path) -> None:
    assert run(config, "--trials", 2, "--seed", 9, "--minutes", 5.5).exit_code == 0
    resolved = (config.parent / "out" / "toy" / "config.resolved.yaml").read_text(encoding="utf-8")
    for text in ("trials: 2", "seed: 9", "minutes: 5.5"):
        assert text in resolved
    result = run(config, "--trials", 0)
    assert result.exit_code == 2
    assert "trials" in result.stderr


def test_a_wrong_config_is_exit_code_2_without_traceback(config: Path) -> None:
    config.write_text(standins.CONFIG.replace("units", "unitz"), encoding="utf-8")
    result = run(config)
    assert result.exit_code == 2
    assert "did you mean 'units'" in result.stderr
    assert "Traceback" not in result.output
    assert not (config.parent / "out").exists()
    assert invoke("run", config.parent / "none.yaml").exit_code == 2


def test_another_question_is_exit_code_1(config: Path) -> None:
    run(config, "--trials", 1)
    result = run(config, "--trials", 1, "--set", "training.epochs=9")
    assert result.exit_code == 1
    assert "training.epochs: 3 -> 9" in result.stderr
    assert run(config, "--trials", 1, "--set", "training.epochs=9", "--fresh").exit_code == 0


def test_what_is_said_of_going_on_asks_the_same_question(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "run", failing(SearchInterrupted("stopped")))
    options = (
        "--set",
        "model.units={choice: [4, 8]}",
        "--trials",
        2,
        "--workers",
        1,
        "--out",
        "my studies",
        "--fresh",
    )
    result = invoke("run", config, *options)
    said = result.stderr.strip().removeprefix("stopped; `").removesuffix("` goes on")
    words = [str(word) for word in options if word != "--fresh"]
    assert shlex.split(said)[:3] == ["gru-tune", "run", str(config)]
    assert sorted(shlex.split(said)[3:]) == sorted(words)


def failing(error: BaseException) -> Any:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (DataError("no such column"), 1, "no such column"),
        (SearchInterrupted("stopped; everything finished is saved in out/toy"), 130, "toy.yaml --workers 0"),
        (KeyboardInterrupt(), 130, "stopped"),
        (
            ZeroDivisionError("division"),
            1,
            "unexpected error: ZeroDivisionError: division; run again with --debug",
        ),
    ],
)
def test_errors_and_their_exit_codes(
    config: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, text: str
) -> None:
    monkeypatch.setattr(study, "run", failing(error))
    result = run(config)
    assert result.exit_code == code
    assert text in result.stderr
    assert "Traceback" not in result.output


def test_debug_shows_the_traceback_and_keeps_message_and_exit_code(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "run", failing(DataError("no such column")))
    for arguments in (["--debug", "run", config], ["run", config, "--debug"]):
        result = invoke(*arguments)
        assert result.exit_code == 1
        assert "Traceback" in result.stderr
        assert result.stderr.endswith("\nno such column\n")
    config.write_text("task: none", encoding="utf-8")
    assert invoke("run", config, "--debug").exit_code == 2


def test_report(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy", trials=12)
    assert "is the best" in invoke("report", tmp_path / "toy").output
    assert len(invoke("report", tmp_path / "toy", "--csv", "--top", 4).output.splitlines()) == 5
    assert json.loads(invoke("report", tmp_path / "toy", "--json").output)["trials"]
    assert "| rank |" in invoke("report", tmp_path / "toy", "--markdown").output
    assert invoke("report", tmp_path / "toy", "--html").output == f"{tmp_path / 'toy' / 'report.html'}\n"
    result = invoke("report", tmp_path / "tyo")
    assert (result.exit_code, result.stderr) == (
        1,
        f"{tmp_path / 'tyo'}: there is no such folder; did you mean 'toy'?\n",
    )


def test_every_study_of_a_folder_gets_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "html", lambda study, top: f"{study.name}, {top}")
    folders = [builders.study(tmp_path / name).path for name in ("one", "two")]
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "trials.jsonl").touch()
    result = invoke("report", tmp_path, "--html", "--top", 3)
    assert (folders[0] / "report.html").read_text(encoding="utf-8") == "toy, 3"
    assert result.stdout.splitlines() == [str(folder / "report.html") for folder in folders]
    assert result.stderr.startswith(f"Left out: {tmp_path / 'bad'}")


def test_pictures_and_a_live_page_are_of_one_study(tmp_path: Path) -> None:
    for name in ("one", "two"):
        builders.study(tmp_path / name)
    for option in (["--png", tmp_path / "png"], ["--live"]):
        result = invoke("report", tmp_path, *option)
        said = f"{option[0]} shows one study: name its folder, such as {tmp_path / 'one'}\n"
        assert (result.exit_code, result.stderr) == (1, said)
    assert not (tmp_path / "png").exists()


def test_reports_that_exclude_each_other(tmp_path: Path) -> None:
    builders.study(tmp_path / "toy")
    result = invoke("report", tmp_path / "toy", "--csv", "--html")
    assert result.exit_code == 2
    assert "--csv and --html are different reports; ask for one at a time" in result.stderr
    result = invoke("report", tmp_path / "toy", "--port", "8000")
    assert result.exit_code == 2
    assert "--port is the port of --live; add --live" in result.stderr


def test_compare(tmp_path: Path) -> None:
    folders = [builders.study(tmp_path / name, name=name).path for name in ("one", "two")]
    assert "What is asked:" in invoke("compare", *folders).output
    assert invoke("compare", tmp_path, "--csv").output.startswith("section,row,one,two\n")
    assert json.loads(invoke("compare", tmp_path, "--json").output)["studies"]
    assert "## Winners" in invoke("compare", tmp_path, "--markdown").output
    file = tmp_path / "new" / "compared.html"
    assert invoke("compare", tmp_path, "--html", file).output == f"{file}\n"
    assert file.exists()
    result = invoke("compare", folders[0])
    assert result.stderr == f"{folders[0]}: a comparison needs two studies; name another one beside it\n"
    assert result.exit_code == 1
    assert invoke("compare").exit_code == 2


def test_an_error_obeys_nothing_that_stands_in_a_name(tmp_path: Path) -> None:
    result = invoke("report", tmp_path / "a\x1b[2Jb")
    assert result.stderr == f"{tmp_path}/a\\x1b[2Jb: there is no such folder\n"


def test_schema_and_check_and_init(tmp_path: Path) -> None:
    assert json.loads(invoke("schema").output)["properties"]
    starter = tmp_path / "config.yaml"
    assert invoke("init", "--out", starter).exit_code == 0
    assert invoke("init", "--out", starter).exit_code == 1
    assert invoke("init", "--out", starter, "--force").exit_code == 0
    result = invoke("check", starter, "--set", "training.epochs=2")
    assert result.exit_code == 0, result.output
    assert "all good" in result.output
    assert invoke("check", starter, "--set", "training.epoch=2").exit_code == 2


def test_a_search_in_which_all_trials_failed_has_a_page_that_says_why(config: Path) -> None:
    result = run(config, "--trials", 2, "--set", "model.units=21")
    assert result.exit_code == 1
    assert result.stderr.startswith("none of the 2 trials was completed")
    assert "Failures by reason" in (config.parent / "out" / "toy" / "report.html").read_text(encoding="utf-8")


def test_a_file_is_not_taken_for_the_studies_beside_it(config: Path) -> None:
    run(config, "--trials", 1)
    result = invoke("report", config, "--html")
    assert result.exit_code == 1
    assert result.stderr == f"{config}: this is a file; name the folder of a study, or one above it\n"
    assert invoke("report", config.parent / "out" / "toy" / "trials.csv").exit_code == 0


def test_a_place_that_cannot_be_written_is_one_sentence(config: Path) -> None:
    run(config, "--trials", 1)
    study = config.parent / "out" / "toy"
    (study / "report.html").unlink()
    (study / "report.html").mkdir()
    result = invoke("report", study, "--html")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"{study / 'report.html'}")
