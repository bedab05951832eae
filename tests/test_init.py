from __future__ import annotations

from pathlib import Path

import pytest

from gru_tune import config, init
from gru_tune.data.prepare import prepare
from gru_tune.errors import DataError, StudyError

TINY = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "tiny"
FILES = (
    "airline_passengers.csv", "atis.jsonl", "basic_motions.npz", "cmapss_fd001.csv",
    "daily_min_temperatures.csv", "etth1.csv", "exchange_rate.csv", "gunpoint.csv", "imdb.csv", "imdb.parquet",
    "indoor_movement_long.csv", "italy_power_demand.csv", "japanese_vowels_long.csv", "japanese_vowels.npz",
    "mr.csv", "names18.csv", "nyc_taxi.csv", "occupancy.csv", "sms_spam.tsv", "sst2.csv", "sst5.csv",
    "sunspots.csv", "ud_ewt.jsonl",
)  # fmt: skip


def test_without_a_file_the_config_runs_on_builtin_data(tmp_path: Path) -> None:
    out = tmp_path / "config.yaml"
    said = init.write(None, out)
    assert str(out) in said
    assert config.load(out).task == "classification"


def test_an_existing_config_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "config.yaml"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(StudyError, match="--force"):
        init.write(None, out)
    assert out.read_text(encoding="utf-8") == "mine"
    init.write(None, out, force=True)
    assert out.read_text(encoding="utf-8") != "mine"


def test_the_path_is_relative_to_the_config(tmp_path: Path) -> None:
    data = tmp_path / "data" / "long name.csv"
    data.parent.mkdir()
    rows = [f"a film number {i} was fine,{i % 2}" for i in range(40)]
    data.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    out = tmp_path / "configs" / "films.yaml"
    out.parent.mkdir()
    init.write(data, out)
    found = config.load(out)
    assert found.data.path == "../data/long name.csv"
    assert prepare(found).dataset.target == "label"


def test_a_class_that_is_nearly_all_is_not_searched_by_accuracy(tmp_path: Path) -> None:
    rows = [f"message number {i} is fine,{'ham' if i % 8 else 'spam'}" for i in range(40)]
    (tmp_path / "data.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    out = tmp_path / "config.yaml"
    init.write(tmp_path / "data.csv", out)
    lines = out.read_text(encoding="utf-8").splitlines()
    assert "  objective: macro_f1                  # 88% are 'ham': accuracy says little" in lines
    weights = "  # class_weights: balanced            # every class the same weight in the loss"
    assert lines.index("training:") < lines.index(weights) < lines.index("search:")
    assert config.load(out).search.objective == "macro_f1"
    out.write_text("\n".join(lines).replace("# class_weights", "class_weights"), encoding="utf-8")
    assert config.load(out).domain("class_weights") == "balanced"


def test_a_device_is_refused_with_its_whole_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^/dev/zero is a pipe or a device; copy what it holds into a file"):
        init.write(Path("/dev/zero"), tmp_path / "made.yaml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        init.write(tmp_path / "nothing.csv", tmp_path / "out.yaml")


@pytest.mark.real_data
@pytest.mark.parametrize("file", FILES)
def test_what_is_guessed_of_real_files_can_be_run(file: str, tmp_path: Path) -> None:
    if not TINY.is_dir():
        pytest.skip("the folder of published data sets is not beside the repository")
    out = tmp_path / "config.yaml"
    init.write(TINY / file, out)
    prepare(config.load(out, ["data.window=2"] if "window" in out.read_text("utf-8") else []))
