"""Folders of a stranger's study: they run nothing, write nowhere else, and cannot hang or fill the memory."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gru_tune import bounds
from gru_tune.bounds import Refused
from gru_tune.errors import StudyError
from gru_tune.learning.safety import refuse_architecture, refuse_weights
from gru_tune.report import read
from gru_tune.report.comparing.significance import _resampled
from gru_tune.study.follow import _settings
from gru_tune.study.results import StudyFolder, read_json, replace_text
from gru_tune.wording import visible
from tests.report import builders
from tests.security.files import pipe, within, zip_bomb


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    return builders.study(tmp_path / "study", trials=3)


@pytest.mark.parametrize(
    "name", ["trials", "curves.csv", "beside.trials.csv", "trials/1/model.keras", "exports"]
)
def test_a_link_that_leads_out_of_a_study_keeps_it_from_being_used(name: str, study: StudyFolder) -> None:
    link = study.path / name
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.exists():
        link.unlink() if link.is_file() else link.rmdir()
    link.symlink_to(study.path.parent / "victim")
    with pytest.raises(StudyError) as error, study.locked():
        pass
    assert str(error.value) == (
        f"{link} is a link that leads out of the study: replace it by what it leads to, or delete it"
    )


def test_links_within_a_study_and_to_one_are_fine(study: StudyFolder, tmp_path: Path) -> None:
    (study.path / "table.csv").symlink_to(study.path / "trials.csv")
    (tmp_path / "link").symlink_to(study.path)
    with StudyFolder(tmp_path / "link").locked():
        pass


def test_what_is_replaced_is_never_written_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name in ("trials.csv", "beside.trials.csv"):
        (tmp_path / name).symlink_to(precious)
    replace_text(tmp_path / "trials.csv", "a,b\n")
    assert precious.read_text() == "precious"
    assert (tmp_path / "trials.csv").read_text() == "a,b\n"


@pytest.mark.parametrize("use", [lambda s: read.study(s.path), lambda s: s.locked().__enter__()])
def test_a_pipe_in_the_place_of_the_record_hangs_nobody(
    use: Callable[[StudyFolder], Any], study: StudyFolder
) -> None:
    study.log.unlink()
    pipe(study.log)
    with within(10), pytest.raises(StudyError, match=r"is a pipe or a device|what no study writes"):
        use(study)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "\0", "[1]", "1" * 5000])
def test_a_json_that_is_none_is_read_as_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text(text)
    assert read_json(tmp_path / "study.json") == {}


def test_a_json_of_a_study_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "study.json").write_text(json.dumps({"a": "x" * 1000}))
    monkeypatch.setattr(bounds, "JSON", 1000)
    assert read_json(tmp_path / "study.json") == {}
    with pytest.raises(Refused, match=r"^has more than 1000 bytes$"):
        bounds.json_object(tmp_path / "study.json")


@pytest.mark.parametrize(
    "facts",
    [{"finals": {"winner": 1}, "state": "finished"}, {"finals": [1], "state": "finished"}, {"within": "x"}],
)
def test_a_study_json_that_no_study_writes_is_one_sentence(facts: dict[str, Any], study: StudyFolder) -> None:
    study.facts.write_text(json.dumps(facts))
    with pytest.raises(StudyError, match=r"holds what no study writes \(\w+: .*\); take them from a backup"):
        read.study(study.path)


def test_the_resolved_config_is_read_as_every_config_is(study: StudyFolder) -> None:
    for text in ("a: !!python/object/apply:os.system [true]", "a: &a [*a, *a]", "[" * 50_000):
        study.resolved.write_text(text)
        assert _settings(study) == {} or "a" in _settings(study)


def test_resamples_that_unpack_to_gigabytes_are_not_read(study: StudyFolder) -> None:
    study.judged.mkdir()
    zip_bomb(study.resampled("test"), "accuracy.npy")
    assert _resampled(read.study(study.path), "test", "accuracy") is None
    study.resampled("test").write_bytes(b"PK\3\4 no archive")
    assert _resampled(read.study(study.path), "test", "accuracy") is None


def keras_file(
    file: Path, weights: bytes, architecture: Any = None, method: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps(architecture or {}))
        archive.writestr("model.weights.h5", weights)
    return file


def weights(fill: Callable[[Any], None]) -> bytes:
    import h5py

    raw = io.BytesIO()
    with h5py.File(raw, "w") as file:
        fill(file.create_group("layers/gru/vars"))
    return raw.getvalue()


def external_link(group: Any) -> None:
    import h5py

    group["0"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(group: Any) -> None:
    import h5py

    group["0"] = h5py.SoftLink("/layers")


def external_array(group: Any) -> None:
    group.create_dataset("0", (8,), "u1", external=[("/etc/passwd", 0, 8)])


def virtual_array(group: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout((8,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (8,))
    group.create_virtual_dataset("0", layout)


def packed_array(group: Any) -> None:
    group.create_dataset("0", (2**29,), "f4", chunks=(2**20,), compression="gzip")


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (external_link, r"^holds a link where weights belong \(0\)$"),
        (soft_link, r"^holds a link where weights belong \(0\)$"),
        (external_array, r"^holds weights that lie in another file \(0\)$"),
        (virtual_array, r"^holds weights that lie in another file \(0\)$"),
        (packed_array, r"^unpacks from [\d.]+ kB to 2 GB, as files do that are made to fill a memory"),
    ],
)
def test_weights_that_are_not_what_they_seem_are_refused(
    fill: Callable[[Any], None], message: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=message):
        refuse_weights(keras_file(tmp_path / "best.keras", weights(fill)))


def test_weights_in_groups_that_hold_themselves_end(tmp_path: Path) -> None:
    def fill(group: Any) -> None:
        group["0"] = np.zeros(3)
        group["again"] = group

    refuse_weights(keras_file(tmp_path / "best.keras", weights(fill)))


def test_a_model_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    file = zip_bomb(tmp_path / "best.keras", "model.weights.h5")
    for look in (refuse_weights, refuse_architecture):
        with pytest.raises(Refused, match=r"^unpacks from "):
            look(file)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.layers", "Lambda"), ("keras.layers", "TFSMLayer"), ("keras.layers", "TorchModuleWrapper"),
        ("keras.layers", "StringLookup"), ("builtins", "function"), ("os", "function"), ("builtins", "__lambda__"),
        ("keras.utils", "get_file"), (["keras"], "GRU"), ("keras.layers", {"a": 1}), ("keras.src.ops.core", "Map"),
    ],
)  # fmt: skip
def test_an_architecture_of_other_parts_is_refused(module: Any, name: Any, tmp_path: Path) -> None:
    inner = {"module": module, "class_name": name, "config": {}}
    model = {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {"layers": [inner]},
    }
    file = keras_file(tmp_path / "best.keras", b"", model)
    with pytest.raises(Refused, match=r"of which gru-tune makes no models$"):
        refuse_architecture(file)


def test_an_architecture_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "best.keras", "w") as archive:
        archive.writestr("config.json", "[" * 100_000)
    with pytest.raises(Refused, match=r"that is no JSON"):
        refuse_architecture(tmp_path / "best.keras")


def test_no_text_turns_the_terminal_round() -> None:
    assert visible("\x1b]0;x\x07\u202e\u2066\u2069a") == "\\x1b]0;x\\x07\\u202e\\u2066\\u2069a"
