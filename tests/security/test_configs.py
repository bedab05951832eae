"""Configs of a stranger: they run nothing, write only where they lie, and cannot fill the memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune import config as configs
from gru_tune import trackers
from gru_tune.errors import ConfigError
from gru_tune.knobs import knob_of
from gru_tune.language.comparison import read
from tests.security.files import pipe, within

GOOD = """
task: classification
data: {kind: text, path: a.csv, text: text, target: label}
"""


def refused(text: str, folder: Path) -> str:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with within(30), pytest.raises(ConfigError) as error:
        configs.load(file)
    return str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(f"k{n}: &{b} [{','.join(['*' + a] * 9)}]" for n, (a, b) in enumerate(zip("abcdefghi", "bcdefghij", strict=True))),
        "a: &a {x: 1}\n" + "\n".join(f"k{n}: &{b} {{<<: [{','.join(['*' + a] * 9)}]}}" for n, (a, b) in enumerate(zip("abcdefghi", "bcdefghij", strict=True))),
        "a: &a [*a]", "[" * 100_000, "{a: " * 20_000, "- " * 100_000, "? " * 100_000,
    ],
    ids=["aliases", "merges", "itself", "lists", "mappings", "dashes", "keys"],
)  # fmt: skip
def test_bombs_are_refused_in_one_sentence(text: str, tmp_path: Path) -> None:
    message = refused(text, tmp_path)
    assert message.startswith(f"{tmp_path}/config.yaml:")
    assert "\n" not in message


@pytest.mark.parametrize(
    "tag",
    ["!!python/object/apply:os.mkdir [ran]", "!!python/name:os.system ''", "!!python/object/new:os.mkdir [ran]", "!ran a"],
)  # fmt: skip
def test_no_tag_makes_an_object(tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "does not fit here; leave it out" in refused(f"{GOOD}name: {tag}\n", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_large_config_of_nothing_but_mistakes_is_told_in_seconds(tmp_path: Path) -> None:
    keys = "\n".join(f"key{n}: 1" for n in range(1500))
    assert refused(GOOD + keys, tmp_path).endswith("1,500 problems in " + str(tmp_path / "config.yaml"))


def test_a_config_that_is_no_file_is_refused(tmp_path: Path) -> None:
    devices = [pipe(tmp_path / "pipe.yaml"), Path("/dev/zero")]
    for file in devices:
        with within(10), pytest.raises(ConfigError) as error:
            configs.load(file)
        assert (
            str(error.value)
            == f"{file}: cannot be read: it is a pipe or a device; copy what it holds into a file, and name that"
        )


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "a\\\\b", ".", "..", ".x", "", "x" * 101, "a\\nb", "a\\0", "con", "NUL.txt"])  # fmt: skip
def test_no_name_of_a_study_leads_out_of_the_folder_of_results(name: str, tmp_path: Path) -> None:
    assert "cannot name a folder" in refused(f'{GOOD}name: "{name}"\n', tmp_path)


OUTSIDE = ["../runs", "/tmp/runs", "a/../../runs", "link/runs"]


@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow", "optuna"])
@pytest.mark.parametrize("place", [*OUTSIDE, "sqlite:////tmp/x.db", "sqlite:///x.db", "file:///tmp/runs"])
def test_a_config_names_no_place_outside_of_its_folder(tracker: str, place: str, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "link").symlink_to(tmp_path)
    (own / "config.yaml").write_text(f"{GOOD}tracking: {{{tracker}: '{place}'}}\n")
    with pytest.raises(ConfigError) as error:
        trackers.refuse_unusable(configs.load(own / "config.yaml"))
    if tracker == "tensorboard" and "://" in place:
        return
    assert f"tracking.{tracker}: '{place}' may lie outside of the folder of the config" in str(error.value)
    assert f"or say --set tracking.{tracker}={place}" in str(error.value)


def test_who_runs_a_config_may_name_any_place(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"{GOOD}tracking: {{optuna: runs/journal.log}}\n")
    trackers.refuse_unusable(configs.load(tmp_path / "config.yaml"))
    trackers.refuse_unusable(configs.load(tmp_path / "config.yaml", ["tracking.optuna=/tmp/journal.log"]))


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    from gru_tune.trackers.optuna import _open

    precious = tmp_path / "thesis.txt"
    precious.write_bytes(b"all my work, and no newline at its end")
    with pytest.raises(ValueError, match="is no journal of Optuna; name another file"):
        _open(str(precious))
    assert precious.read_bytes() == b"all my work, and no newline at its end"


@pytest.mark.parametrize("text", ["9" * 5000 + " <= units", "units <= " + "9" * 5000])
def test_a_number_of_thousands_of_digits_is_refused_in_a_constraint(text: str, tmp_path: Path) -> None:
    space = f"{GOOD}model: {{units: {{choice: [8, 16]}}}}\nsearch: {{constraints: ['{text}']}}\n"
    assert f"the number {'9' * 59}… is too long" in refused(space, tmp_path)


def test_a_product_beyond_all_numbers_is_more_than_every_number() -> None:
    large = read(" * ".join(["units"] * 5000) + " <= 1000", {"units": knob_of("units")})
    assert large.holds({"units": 8}) is False


@pytest.mark.parametrize(
    "text", ["__import__('os').mkdir('ran')", "units.__class__ <= 1", "units <= (lambda: 1)()", "exec <= 1"]
)
def test_code_is_no_constraint(text: str, tmp_path: Path) -> None:
    space = f'{GOOD}model: {{units: {{choice: [8, 16]}}}}\nsearch: {{constraints: ["{text}"]}}\n'
    assert "search.constraints[0]" in refused(space, tmp_path)
