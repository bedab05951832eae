"""The display on a terminal: what it shows at every width, and what remains of it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from gru_tune.study import live
from gru_tune.study.count import Count, FinalsCount
from gru_tune.study.live import Live, clock, picture, stopwatch
from gru_tune.study.log import Died, Launch
from gru_tune.study.progress import Plain
from gru_tune.trial import Epoch, Objective, Status
from tests.study.test_progress import plan, play, trial

JOBS: list[tuple[dict[str, Any], float]] = [
    ({"trial": 2, "repeat": 1, "epoch": 0, "last_epoch": 30}, 2.4),
    ({"trial": 3, "repeat": 1, "epoch": 12, "last_epoch": 30, "score": 0.97531}, 3725.0),
]


def drawn(count: Count, jobs: Any = (), width: int = 80, finals: Any = None, room: int = 9) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=False).print(picture(count, finals, list(jobs), 0.0, room))
    return [line.rstrip() for line in text.getvalue().splitlines()]


def counted(**changes: Any) -> Count:
    count = Count(plan(total=12, **changes))
    count.add(trial(1, None), None)
    count.add(trial(4, 0.5), trial(4, 0.5))
    return count


def test_a_bar_for_the_study_and_one_for_every_running_trial() -> None:
    lines = drawn(counted(forecast=84.0), JOBS)
    words = [" ".join(word for word in line.split() if set(word) - set("━╸╺ ")) for line in lines]
    assert words[:3] == [
        "toy 2 of 12 trials 1 failed",
        "trial 2 first epoch 0:02",
        "trial 3 epoch 12 of 30 accuracy 0.9753 1:02:05",
    ]
    assert all("━" in lines[row] for row in (0, 2))
    # By the forecast 14 s each, and by the two that have ended 10: of 10 more by two, less what has been taken.
    assert words[3].startswith("about 56 s left, until ")
    assert words[4:] == ["best so far: trial 4, accuracy 0.5000", "units 8"]


def test_the_finals_have_the_bar_of_the_study() -> None:
    finals = FinalsCount([(1, 2), (3, 2), (1, 3)])
    finals.done = 1
    assert "finals 1 of 3" in drawn(counted(), finals=finals)[0]
    assert "2 of 12 trials" in drawn(counted(), finals=FinalsCount([]))[0]  # no time was left for any


def test_the_finals_are_led_by_the_mean_of_fresh_seeds() -> None:
    count, finals = counted(), FinalsCount([(4, 2), (7, 2), (4, 3), (7, 3)])

    def best() -> list[str]:
        return drawn(count, finals=finals)[-2:]

    def confirmed(number: int, score: float | None) -> None:
        finals.ended(replace(trial(number, score), values={"units": number}))

    assert best() == ["best of the search: trial 4, accuracy 0.5000", "  units 8"]
    confirmed(4, 0.48)
    assert best() == ["leads the finals: trial 4, accuracy 0.4800 with 1 fresh seed", "  units 4"]
    confirmed(7, 0.49)
    assert best() == ["leads the finals: trial 7, accuracy 0.4900 with 1 fresh seed", "  units 7"]
    confirmed(7, 0.45)
    confirmed(4, None)  # a training that failed says nothing
    assert best() == ["leads the finals: trial 4, accuracy 0.4800 with 1 fresh seed", "  units 4"]
    confirmed(7, 0.53)
    assert best()[0] == "leads the finals: trial 7, accuracy 0.4900 with 3 fresh seeds"


def test_of_an_error_the_least_leads_the_finals() -> None:
    error, finals = Objective("mse", "min"), FinalsCount([(1, 2), (2, 2)])
    for number, mse in ((1, 0.3), (2, 0.2)):
        ran = (Epoch(1, {}, {"mse": mse}, 1.0),)
        finals.ended(replace(trial(number, 0.5), objective=error, epochs=ran))
    leader = finals.leader()
    assert leader is not None
    assert (leader[0].number, leader[1:]) == (2, (0.2, 1))


def test_a_final_that_was_cut_short_does_not_lead() -> None:
    finals = FinalsCount([(1, 2)])
    finals.ended(replace(trial(1, 0.5), status=Status.STOPPED))
    assert finals.leader() is None


def test_without_a_limit_there_is_no_share_of_the_trials() -> None:
    count = Count(plan(total=None))
    count.add(trial(1, 0.5), trial(1, 0.5))
    assert "1 trial" in drawn(count)[0]
    assert not any("left" in line for line in drawn(count))


@pytest.mark.parametrize("width", [40, 60, 80, 120, 240])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Or than a hundred columns; a long list of knobs is cut and not wrapped."""
    count = counted(name="a study whose name goes on and on", forecast=60.0)
    count.best = replace(trial(4, 0.5), values={f"knob_{n}": n for n in range(30)})
    lines = drawn(count, JOBS, width)
    assert max(cell_len(line) for line in lines) <= min(width, 100)
    assert len(lines) == 6
    assert lines[-1].endswith("…")


def test_more_trials_than_the_terminal_has_lines() -> None:
    lines = drawn(counted(), JOBS * 5, room=3)
    assert sum("epoch" in line for line in lines) == 3
    assert "and 7 more trainings" in lines


def test_clock_and_stopwatch() -> None:
    now = 1_800_000_000.0
    assert len(clock(now + 60, now)) == len("22:07")
    assert len(clock(now + 86400, now)) == len("Tue 22:07")
    assert len(clock(now + 20 * 86400, now)) == len("2026-12-03")
    assert (stopwatch(7.9), stopwatch(754), stopwatch(3723)) == ("0:07", "12:34", "1:02:03")


def terminal(text: io.StringIO) -> Console:
    return Console(file=text, force_terminal=True, width=100, height=24)


def test_finished_trials_scroll_above_the_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PERIOD", 0.0)
    text = io.StringIO()
    play(Live(terminal(text)))
    for part in (
        "trial 1: accuracy 0.5000 (epoch 1/1, 10 s); the best so far (units 8)\n",
        "trial 2: its worker was killed; it is tried again\n",
        "trial 2 failed: no luck\n",
        "trial 3: accuracy 0.4000 (epoch 1/1, 10 s)\n",
        "epoch 2 of 3",
        "best so far: trial 1, accuracy 0.5000",
    ):
        assert part in text.getvalue()
    Live(Console(file=text)).end()  # without a begin, as when the data cannot be read


def test_a_job_that_ended_is_drawn_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[list[Any]] = []
    monkeypatch.setattr(live, "picture", lambda count, finals, jobs, now, room: shown.append(jobs) or "")
    watch = Live(terminal(io.StringIO()))
    watch.begin(plan(repeats=1))
    for number, repeat in ((1, 1), (2, 1)):
        watch.launched(Launch(number, 1, {}, 1, 0, 3, False, 0.0, repeat))
    watch.finished(trial(1, 0.5), trial(1, 0.5))
    assert [job["trial"] for job, _ in shown[-1]] == [2]
    watch.died(Launch(2, 1, {}, 1, 0, 3, False, 0.0), Died(2, 1, "its worker was killed", 0.0))
    watch.finals([(1, 2), (1, 3)])
    for repeat in (2, 3):
        watch.launched(Launch(1, 1, {}, 1, 0, 3, False, 0.0, repeat))
    watch.confirmed(replace(trial(1, 0.5), repeat=2))
    assert [(job["trial"], job["repeat"]) for job, _ in shown[-1]] == [(1, 3)]
    watch.end()


def test_markup_and_emoji_codes_in_names_stay_as_they_are() -> None:
    text = io.StringIO()
    Live(terminal(text)).say("trial 1 failed: [red]:smile:[/red]")
    assert "[red]:smile:[/red]" in text.getvalue()
    count = Count(plan(name="[b]:smile:[/b]"))
    assert drawn(count)[0].startswith("[b]:smile:[/b]")


def test_what_a_terminal_would_obey_is_written_out() -> None:
    text = io.StringIO()
    Live(terminal(text)).say("trial 1 failed: \x1b[2J")
    assert text.getvalue() == "trial 1 failed: \\x1b[2J\n"
    lines: list[str] = []
    Plain(lines.append).say("trial 1 failed: \x1b[2J")
    assert lines == ["trial 1 failed: \\x1b[2J"]
    best = replace(trial(4, 0.5), values={"model": "\x1b[2J"})
    assert drawn(Count(plan(best=best)))[-1] == "  model \\x1b[2J"


@pytest.mark.parametrize(
    ("term", "tty", "expected"), [("xterm", True, True), ("dumb", True, False), ("xterm", False, False)]
)
def test_no_display_on_a_dumb_terminal_or_in_a_pipe(
    term: str, tty: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    stdout = io.StringIO()
    stdout.isatty = lambda: tty  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdout", stdout)
    assert live.possible() is expected
