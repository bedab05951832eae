"""The record: nothing whole is lost, nothing torn is believed."""

from __future__ import annotations

import json
import math
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gru_tune.errors import StudyError
from gru_tune.study.lines import TYPES
from gru_tune.study.log import (
    Died,
    Ended,
    Finished,
    Header,
    Launch,
    Log,
    Started,
    Stopped,
    decode,
    encode,
    read,
)
from gru_tune.study.tail import Tail
from gru_tune.trial import Epoch, Fault, Outcome
from tests.report.builders import sealed

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
    st.builds(
        Died, trial=counts, attempt=counts, reason=st.text(max_size=20), time=numbers, fault=st.sampled_from(Fault),
    ),
    st.builds(Stopped, trial=counts, attempt=counts, time=numbers),
    st.builds(Ended, reason=st.text(max_size=20), minutes=st.none() | numbers, time=numbers),
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


@given(event=events)
def test_a_line_is_one_json_object_that_ends_with_the_checksum_of_its_bytes(event: Any) -> None:
    line = encode(event)
    content = json.loads(line)
    assert list(content)[-1] == "crc"
    before = line[: line.rindex(',"crc"')].encode()
    assert content["crc"] == f"{zlib.crc32(before):08x}"
    assert decode(line) == event


@given(content=st.lists(events, max_size=3), data=st.data())
def test_any_changed_byte_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, content: list[Any], data: st.DataObject
) -> None:
    """Never other numbers: the damaged line is missing at the end, or all is refused."""
    path = tmp_path_factory.getbasetemp() / "changed.jsonl"
    whole = [HEADER, *content]
    write(path, whole)
    damaged = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    record = None
    with suppress(StudyError):
        record = read(path)
    if record is not None:
        assert list(record.events) == whole[: len(record.events)]
        assert len(record.events) == len(whole) - 1
        assert record.notes


@given(data=st.data(), text=st.binary(max_size=200))
def test_what_is_no_log_is_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, text: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.jsonl"
    write(path, [HEADER, Started(1, 1.0), Died(1, 1, "killed", 2.0)])
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:place] + text + whole[place:])
    with suppress(StudyError):
        assert all(type(event) in TYPES.values() for event in read(path).events)
    with suppress(StudyError):
        Tail(path).read()


def test_a_tail_of_zeros_is_cut_off(tmp_path: Path) -> None:
    """What a power cut may leave behind: blocks that were given to the file, and never written."""
    path = tmp_path / "trials.jsonl"
    first = [HEADER, Started(2, 1.0)]
    write(path, first)
    size = path.stat().st_size
    for tail in (
        bytes(3 * 4096),
        encode(Stopped(1, 1, 4.0)).encode()[:30] + bytes(5000),
        bytes(4095) + b"\n",
    ):
        with path.open("ab") as file:
            file.write(tail)
        record = read(path)
        assert (list(record.events), record.size, len(record.notes)) == (first, size, 1)
        with Log(path, record.size):
            pass
        assert path.stat().st_size == size


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("\0\0\0", "not JSON"),
        ("[]", "expected an object"),
        ('{"event":"launch","trial":1}', "missing"),
        ('{"event":"holiday"}', "unknown event"),
        ('{"event":"run","workers":"two","time":1.0}', "workers cannot be 'two'"),
        ('{"event":"run","workers":2,"time":1.0}', "it has no checksum"),
        (encode(Started(2, 1.0)).replace("2", "3", 1), "its checksum is wrong"),
        (encode(Started(2, 1.0)) + encode(Started(2, 1.0)), "its checksum is wrong"),
    ],
)
def test_damage_in_the_middle_is_refused_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text(f"{encode(HEADER)}\n{line}\n{encode(Started(1, 1.0))}\n", encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        read(path)
    told = str(caught.value)
    assert told.startswith(f"{path}:2: this line of the study's record is damaged (")
    assert why in told
    assert told.endswith(
        f"; `gru-tune repair {tmp_path}` keeps all that is whole, --fresh starts the study anew"
    )


def test_another_record_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    write(path, [HEADER, Started(1, 1.0), HEADER, Started(1, 1.0)])
    with pytest.raises(StudyError, match=r"trials\.jsonl:3: another record begins here; `gru-tune repair"):
        read(path)


@pytest.mark.parametrize(
    ("number", "line", "why"),
    [
        (1, sealed('{"event":"study","format":3,"time":1.0}'), "format 3"),
        (1, '{"event":"study","format":3,"time":1.0}', "format 3"),
        (2, sealed('{"event":"holiday","time":1.0}'), "unknown event"),
        (2, sealed('{"event":"run","workers":2,"time":1.0,"weather":"fine"}'), "weather"),
    ],
)
def test_a_line_of_a_newer_version_is_refused_wherever_it_stands(
    tmp_path: Path, number: int, line: str, why: str
) -> None:
    path = tmp_path / "trials.jsonl"
    before = [encode(HEADER)] if number == 2 else []
    for after in ([], [encode(Started(1, 1.0))]):
        path.write_text("".join(f"{text}\n" for text in [*before, line, *after]), encoding="utf-8")
        with pytest.raises(StudyError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}:{number}: this line was written by a newer gru-tune (")
        assert why in str(caught.value)
        assert str(caught.value).endswith("): upgrade this one, or start the study anew with --fresh")
        with pytest.raises(StudyError, match="newer gru-tune"):
            Tail(path).read()


OLD = (
    '{"event":"study","format":1,"name":"toy","time":1.5}\n'
    '{"event":"run","workers":1,"time":2.0}\n'
    '{"event":"launch","trial":1,"attempt":1,"values":{"units":8},"seed":5,"first_epoch":0,"last_epoch":3,'
    '"checkpoint":false,"time":3.0}\n'
)


def test_a_log_without_checksums_is_read_and_goes_on_with_them(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text(OLD, encoding="utf-8")
    old = [Header({"name": "toy"}, 1.5), Started(1, 2.0), Launch(1, 1, {"units": 8}, 5, 0, 3, False, 3.0)]
    tail = Tail(path)
    assert tail.read() == old == list(read(path).events)
    with Log(path, read(path).size) as log:
        log.append(Stopped(1, 1, 4.0))
        log.append(Started(1, 5.0))
    assert list(read(path).events) == [*old, Stopped(1, 1, 4.0), Started(1, 5.0)]
    assert tail.read() == [Stopped(1, 1, 4.0), Started(1, 5.0)]
    with path.open("a", encoding="utf-8") as file:
        file.write(OLD.splitlines()[1] + "\n" + encode(Started(1, 6.0)) + "\n")
    with pytest.raises(StudyError, match=r"trials\.jsonl:6: .*it has no checksum"):
        read(path)


def test_the_head_of_a_log_with_checksums_must_have_one(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_text(
        f'{{"event":"study","format":2,"time":1.0}}\n{encode(Started(1, 1.0))}\n', encoding="utf-8"
    )
    with pytest.raises(StudyError, match=r"trials\.jsonl:1: .*it has no checksum"):
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
