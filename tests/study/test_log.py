"""The record: nothing whole is lost, nothing torn is believed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gru_tune.errors import StudyError
from gru_tune.study.log import Died, Finished, Header, Launch, Log, Started, Stopped, encode, read
from gru_tune.trial import Epoch, Outcome

numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(1, 10_000)
scalars = st.one_of(st.text(max_size=8), st.integers(), numbers, st.booleans(), st.none())
metrics = st.dictionaries(st.text(max_size=6), numbers, max_size=3)
epochs = st.builds(Epoch, number=counts, train=metrics, validation=metrics, seconds=numbers)
outcomes = st.builds(
    Outcome,
    trial=counts,
    epochs=st.lists(epochs, max_size=3).map(tuple),
    parameters=counts,
    seconds=numbers,
    fast_path=st.sampled_from(["xla", "cudnn", "plain"]),
    error=st.none() | st.text(max_size=20),
)
events = st.one_of(
    st.builds(Started, workers=counts, time=numbers),
    st.builds(
        Launch, trial=counts, attempt=counts, values=st.dictionaries(st.text(max_size=6), scalars, max_size=3),
        seed=counts, first_epoch=counts, last_epoch=counts, checkpoint=st.booleans(), time=numbers,
    ),
    st.builds(Finished, attempt=counts, outcome=outcomes, time=numbers),
    st.builds(Died, trial=counts, attempt=counts, reason=st.text(max_size=20), time=numbers),
    st.builds(Stopped, trial=counts, attempt=counts, time=numbers),
)  # fmt: skip
HEADER = Header({"name": "Žluť\n", "question": {"a": [1, None]}}, time=1.5)


def write(path: Path, content: list) -> None:
    path.unlink(missing_ok=True)
    with Log(path) as log:
        for event in content:
            log.append(event)


@given(content=st.lists(events, max_size=6))
def test_any_sequence_of_events_comes_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, content: list
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    write(path, [HEADER, *content])
    record = read(path)
    assert list(record.events) == [HEADER, *content]
    assert record.notes == ()
    assert record.size == path.stat().st_size


def test_cut_at_every_byte_of_the_last_line_keeps_all_before(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    first = [HEADER, Started(2, 1.0), Launch(1, 1, {"word": "ž"}, 5, 0, 3, False, 2.0)]
    write(path, first)
    size = path.stat().st_size
    write(path, [*first, Died(1, 1, "its worker was killed (ž)", 3.0)])
    whole = path.read_bytes()
    for cut in range(size, len(whole)):
        path.write_bytes(whole[:cut])
        record = read(path)
        assert list(record.events) == first
        assert bool(record.notes) == (cut > size)
        with Log(path, record.size) as log:  # the next append cuts the torn line off
            log.append(Stopped(1, 1, 4.0))
        assert list(read(path).events) == [*first, Stopped(1, 1, 4.0)]


def test_a_whole_but_senseless_last_line_is_ignored_too(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    write(path, [HEADER, Started(1, 1.0)])
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"\0" * 30 + b"\n")
    record = read(path)
    assert (len(record.events), record.size) == (2, size)
    assert "damaged" in record.notes[0]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("\0\0\0", "not JSON"),
        ("[]", "expected an object"),
        ('{"event":"launch","trial":1}', "missing"),
        ('{"event":"holiday"}', "unknown event"),
    ],
)
def test_damage_in_the_middle_is_refused_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text(f"{encode(HEADER)}\n{line}\n{encode(Started(1, 1.0))}\n", encoding="utf-8")
    with pytest.raises(StudyError, match=rf"trials\.jsonl:2: .*{why}.*--fresh"):
        read(path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    text = encode(HEADER).replace('"format":1', '"format":2') + "\n" + encode(Started(1, 1.0)) + "\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match="format 2, but this version"):
        read(path)


def test_a_log_without_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    write(path, [Started(1, 1.0), Started(1, 1.0)])
    with pytest.raises(StudyError, match="not the record of a study"):
        read(path)


def test_numbers_that_are_not_finite_are_null_and_come_back_as_nan(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    epoch = Epoch(1, {"loss": math.inf}, {"loss": math.nan}, 0.1)
    write(path, [HEADER, Finished(1, Outcome(1, (epoch,), 3, 0.1, "xla"), 1.0)])

    def refuse(name: str) -> None:
        raise AssertionError(name)

    for line in path.read_text(encoding="utf-8").splitlines():
        json.loads(line, parse_constant=refuse)
    finished = read(path).events[1]
    assert isinstance(finished, Finished)
    assert math.isnan(finished.outcome.epochs[0].train["loss"])
    assert math.isnan(finished.outcome.epochs[0].validation["loss"])


def test_an_empty_log_has_no_events(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_bytes(b'{"event":"stu')
    assert read(path).events == ()
