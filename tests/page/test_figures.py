"""The pictures of the search, of the knobs and of what trials cost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import big_study
from gru_tune.page import costs, knobs, search, thin, winner
from gru_tune.page.axis import Axis, axes
from gru_tune.page.figure import Figure
from gru_tune.page.importance import Importance, Importances, importances
from gru_tune.report import read
from gru_tune.report.read import Study
from gru_tune.trial import Objective, Status
from tests.report import made

ERROR = Objective("mae", "min")
SPACE = {
    "units": {"int": [8, 64], "step": 8},
    "learning_rate": {"log": [1e-4, 1e-1]},
    "pooling": {"choice": ["last", "<b>max</b>"]},
    "decay_to": {"log": [1e-3, 1.0]},
}


def values(number: int) -> dict[str, Any]:
    """Of a trial; ``decay_to`` is in force in every second one."""
    found: dict[str, Any] = {
        "units": 8 * (1 + number % 8), "learning_rate": 10 ** (-4 + (number * 7 % 30) / 10),
        "pooling": "<b>max</b>" if number % 3 else "last",
    }  # fmt: skip
    return found | ({"decay_to": 0.1} if number % 2 else {})


def some(count: int = 12, objective: Objective = made.ACCURACY, **facts: Any) -> Study:
    """Trials whose scores go up by 0.01; every fifth fails."""
    trials = [
        made.trial(n, None if n % 5 == 0 else 0.5 + n / 100, objective, values=values(n))
        for n in range(1, count + 1)
    ]
    return made.study(trials, SPACE, facts=facts, objective=objective)


def trace(figure: Figure, name: str) -> Any:
    assert figure.plot is not None
    return next(one for one in figure.plot.data if one.name == name)


def every(study: Study, found: Importances | None) -> list[Figure]:
    return [*search.figures(study), *knobs.figures(study, found), *costs.figures(study)]


def test_the_best_so_far_only_gets_better_and_goes_to_the_end() -> None:
    study = made.study([made.trial(n, score) for n, score in enumerate([0.5, 0.4, 0.7, None, 0.6], start=1)])
    line = trace(search.history(study), "best so far")
    assert list(zip(line.x, line.y, strict=True)) == [(1, 0.5), (3, 0.7), (5.55, 0.7)]
    errors = made.study(
        [made.trial(n, score, ERROR) for n, score in enumerate([0.5, 0.4, 0.7], 1)], objective=ERROR
    )
    line = trace(search.history(errors), "best so far")
    assert list(line.y) == [0.5, 0.4, 0.4]


@pytest.mark.parametrize(("objective", "edge"), [(made.ACCURACY, 0), (ERROR, 1)])
def test_failed_trials_lie_at_the_bad_edge(objective: Objective, edge: int) -> None:
    figure = search.history(some(objective=objective))
    assert figure.plot is not None
    marks = trace(figure, "failed")
    assert list(marks.x) == [5, 10]
    scores = sorted([*trace(figure, "trained to the end").y, *marks.y])
    assert set(marks.y) == {scores[-edge]}  # beyond all scores, and clear of the axis
    low, high = figure.plot.layout.yaxis.range
    assert all(low < y < high for y in marks.y)


@pytest.mark.parametrize(("objective", "exploded"), [(ERROR, 1e9), (Objective("r2", "max"), -1e9)])
def test_an_exploded_trial_does_not_press_the_others_into_a_line(
    objective: Objective, exploded: float
) -> None:
    scores = [0.1 + n / 100 for n in range(20)] + [exploded]
    study = made.study([made.trial(n, s, objective) for n, s in enumerate(scores, 1)], objective=objective)
    figure = search.history(study)
    assert figure.plot is not None
    low, high = figure.plot.layout.yaxis.range
    assert high - low < 1
    assert "1 trial far worse than the rest is outside the picture." in figure.thinned


def test_the_history_shows_baseline_and_finals() -> None:
    final = made.finals({"trial": 11, "mean": 0.58, "interval": [0.55, 0.6]})
    study = some(baselines={"validation": {"majority <class>": {"accuracy": 0.5}}}, **final)
    figure = search.history(study)
    assert list(trace(figure, "baseline “majority &lt;class&gt;”").y) == [0.5, 0.5]
    diamond = trace(figure, "finalists, fresh seeds")
    assert (list(diamond.x), list(diamond.y)) == ([11], [0.58])
    assert list(diamond.error_y.array) == [pytest.approx(0.02)]
    assert list(diamond.error_y.arrayminus) == [pytest.approx(0.03)]
    assert "fresh seeds" in figure.caption


def test_all_of_the_finalists_is_inside_the_picture() -> None:
    final = made.finals(
        {"trial": 11, "mean": 0.45, "interval": [0.2, 0.9]}, {"trial": 9, "mean": 0.3, "interval": None}
    )
    figure = search.history(some(**final))
    assert figure.plot is not None
    low, high = figure.plot.layout.yaxis.range
    assert low < 0.2
    assert high > 0.9


def test_of_few_trials_all_are_inside_the_picture() -> None:
    scores = [0.9627, 0.9711, 0.9712, 0.9713, 0.9713, 0.9714]
    figure = search.history(made.study([made.trial(n, s) for n, s in enumerate(scores, 1)]))
    assert figure.plot is not None
    assert figure.plot.layout.yaxis.range[0] < 0.9627
    assert figure.thinned == ""


def test_curves_say_which_run_of_the_winner_they_are() -> None:
    plain, final = some(), some(**made.finals({"trial": 12}))
    said = "The thick line is trial 12 as the search trained it, not with a fresh seed."
    assert said in search.curves(final).caption
    assert said not in search.curves(plain).caption
    kept = "Trial 12 as trained anew with a fresh seed, the run whose weights are best.keras. "
    assert all(figure.caption.startswith(kept) for figure in winner.curves(final))
    assert not any(figure.caption.startswith("Trial") for figure in winner.curves(plain))


def test_the_best_of_an_unfinished_study_only_leads() -> None:
    study = some()
    assert trace(search.curves(study), "the leader, trial 12") is not None
    assert [figure.title for figure in winner.curves(study)] == ["The leader's loss", "The leader's accuracy"]


def test_all_knobs_at_once_speak_of_importance_only_where_it_is_known() -> None:
    study = some()
    found = Importances(tuple(Importance(name, 0.25, 0.1, 0.4, 10) for name in SPACE), 10, 10)
    for known, said in ((None, False), (found, True)):
        (figure,) = (figure for figure in knobs.figures(study, known) if figure.key == "parallel")
        assert ("Knobs that matter more stand further right." in figure.caption) is said
        assert not figure.main


def test_long_names_leave_room_for_the_picture() -> None:
    long = "linear regression on each target's own past"
    study = some(baselines={"validation": {long: {"accuracy": 0.5}}})
    assert trace(search.history(study), "baseline “linear regression on each t…”") is not None


def test_learning_curves_are_broken_between_trials_and_stopped_ones_are_a_group() -> None:
    trials = [made.trial(n, 0.5 + n / 100) for n in range(1, 15)]
    trials[0] = replace(trials[0], status=Status.STOPPED)
    figure = search.curves(made.study(trials, facts={"state": "finished"}))
    stopped = trace(figure, "stopped early")
    assert (list(stopped.x), list(stopped.y)) == ([1, 2, None], [0.51, 0.51, None])
    assert set(trace(figure, "the best 10").customdata) == {5, 6, 7, 8, 9, 10, 11, 12, 13}
    assert set(trace(figure, "the winner, trial 14").customdata) == {14}


def test_long_curves_and_many_of_them_are_thinned_and_it_is_said() -> None:
    trials = [made.trial(n, epochs=made.curve([0.5] * 500)) for n in range(1, 301)]
    figure = search.curves(made.study(trials, facts={"state": "finished"}))
    assert figure.thinned == ("200 of 300 learning curves are shown: the best ten and some of the others.")
    assert len(trace(figure, "the winner, trial 1").x) == search.POINTS + 1
    assert trace(figure, "the winner, trial 1").x[-2] == 500


def test_how_far_trials_came_is_shown_with_a_stopper_alone() -> None:
    study = some()
    assert [figure.key for figure in search.figures(study)] == ["history", "curves"]
    stopping = made.study(study.ranked, SPACE, {"search": {"stopper": "asha"}})
    assert [figure.key for figure in search.figures(stopping)] == ["history", "curves", "epochs"]


def test_a_knob_in_force_in_some_trials_is_shown_with_those() -> None:
    study = some()
    figures = {figure.key: figure for figure in knobs.figures(study, None)}
    plot = figures["slices"].plot
    assert plot is not None
    titles = [axis.title.text for axis in plot.select_xaxes()]
    assert "decay_to (in 5 of 10 trials)" in titles
    dimension = next(d for d in figures["parallel"].plot.data[0].dimensions if d.label == "decay_to")  # type: ignore[union-attr]
    assert dimension.ticktext[0] == "not in force"
    assert sum(value == dimension.tickvals[0] for value in dimension["values"]) == 5


def test_slices_speak_of_a_line_only_where_there_is_one() -> None:
    for count, lined in ((12, False), (60, True)):
        slices = next(figure for figure in knobs.figures(some(count), None) if figure.key == "slices")
        assert slices.plot is not None
        assert any(one.hovertemplate.startswith("median") for one in slices.plot.data) is lined
        assert ("The line is the median" in slices.caption) is lined


def test_the_best_lines_of_the_parallel_coordinates_lie_on_top() -> None:
    for objective, best in ((made.ACCURACY, max), (ERROR, min)):
        figure = next(
            figure for figure in knobs.figures(some(objective=objective), None) if figure.key == "parallel"
        )
        assert figure.plot is not None
        scores = list(figure.plot.data[0].dimensions[-1]["values"])
        assert scores[-1] == best(scores)
        assert figure.plot.data[0].line.reversescale is (objective is ERROR)
        score = figure.plot.data[0].dimensions[-1]
        assert score.range[0] <= min(score.tickvals) < max(score.tickvals) <= score.range[1]


def test_texts_from_a_config_are_literal_in_a_plot() -> None:
    for figure in knobs.figures(some(), None):
        text = figure.plot.to_json() if figure.plot else ""
        assert "<b>max" not in text
        assert "\\u003cb" not in text


def test_the_contour_is_the_mean_of_the_trials_nearby_and_blank_far_from_them() -> None:
    space = {"units": {"float": [0, 1]}, "dropout": {"float": [0, 1]}}
    corner = [{"units": 0.01 * n, "dropout": 0.01 * n} for n in range(6)]
    trials = [made.trial(n, 0.6, values=v) for n, v in enumerate(corner, start=1)]
    trials += [
        made.trial(n + 6, 0.8, values={k: 1 - x for k, x in v.items()}) for n, v in enumerate(corner, start=1)
    ]
    found = next(
        figure for figure in knobs.figures(made.study(trials, space), None) if figure.key == "contour"
    )
    assert found.plot is not None
    level = found.plot.data[0].z
    assert (level[0][0], level[-1][-1]) == (pytest.approx(0.6, abs=0.01), pytest.approx(0.8, abs=0.01))
    assert level[0][-1] is None


def test_costs_mark_the_pareto_set_of_two_objectives() -> None:
    both = Objective("accuracy", "max", "parameters")
    study = made.study(
        [made.trial(n, s, both) for n, s in enumerate([0.5, 0.7, 0.6], start=1)], objective=both
    )
    first, second = costs.figures(study)
    assert (first.key, second.key) == ("parameters", "seconds")
    assert list(trace(first, "Pareto set").customdata) == [1, 2]
    assert second.plot is not None
    assert "Pareto set" not in [one.name for one in second.plot.data]
    assert first.plot is not None
    assert first.plot.layout.xaxis.type == "log"


def test_the_cost_that_was_asked_for_comes_first_and_is_a_main_picture() -> None:
    both = Objective("accuracy", "max", "seconds")
    trials = [made.trial(n, s, both) for n, s in enumerate([0.5, 0.7, 0.6], start=1)]
    found = costs.figures(made.study(trials, objective=both))
    assert [(figure.key, figure.main) for figure in found] == [("seconds", True), ("parameters", False)]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (100, 100_000, ["100", "1,000", "10,000", "100,000"]),
        (600, 5000, ["1,000", "2,000", "5,000"]),
        (300, 900, ["300", "500", "700"]),
        (11_000, 19_000, ["11,000", "13,000", "16,000", "19,000"]),  # no power of ten is between them
        (10_010, 10_490, ["10,010", "10,490"]),
        (0.0812345678, 0.0812399, ["0.081235", "0.08124"]),
    ],
)
def test_every_axis_of_costs_has_ticks_that_can_be_seen_and_read(
    low: float, high: float, said: list[str]
) -> None:
    trials = [made.trial(n, 0.5 + n / 100, parameters=size) for n, size in ((1, low), (2, high))]
    figure = costs.figures(made.study(trials))[0]
    assert figure.plot is not None
    assert list(figure.plot.layout.xaxis.ticktext) == said


def test_what_does_not_vary_is_not_drawn() -> None:
    same = [made.trial(n, 0.5, parameters=100, epoch_seconds=None) for n in (1, 2, 3)]
    assert costs.figures(made.study(same)) == []
    assert knobs.figures(made.study(same), None) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_trials_are_enough_for_what_can_be_drawn(count: int) -> None:
    study = made.study([made.trial(n, 0.5, values=values(n)) for n in range(1, count + 1)], SPACE)
    figures = every(study, importances(study))
    assert [figure.key for figure in figures][:1] == ["history"][:count]


def test_only_failures_have_no_pictures() -> None:
    assert every(made.study([made.trial(n, None) for n in range(1, 9)]), None) == []


def test_many_trials_stay_small_and_say_what_is_left_out(tmp_path: Path) -> None:
    study = read.study(big_study.write(tmp_path / "big", 1700).path)
    found = importances(study)
    figures = every(study, found)
    assert len({figure.key for figure in figures}) == len(figures) == 9
    sizes = {figure.key: len(figure.plot.to_json()) for figure in figures if figure.plot}
    assert sum(sizes.values()) < 500_000, sizes
    assert all(figure.thinned for figure in figures if figure.key != "epochs")
    again = [figure.plot.to_json() for figure in every(study, found) if figure.plot]
    assert again == [figure.plot.to_json() for figure in figures if figure.plot]
    assert all(json.loads(text) for text in again)


def test_the_axis_is_that_of_the_space() -> None:
    study = some()
    scales = axes(study)
    assert scales["learning_rate"].ticks() == ([-4, -3, -2, -1], ["0.0001", "0.001", "0.01", "0.1"])
    assert scales["units"].words == (8, 16, 24, 32, 40, 48, 56, 64)
    assert scales["pooling"].place("<b>max</b>") == 1
    assert scales["pooling"].ticks()[1] == ["last", "&lt;b&gt;max&lt;/b&gt;"]
    assert Axis("dropout", 0.0, 0.6).ticks()[1] == ["0", "0.15", "0.3", "0.45", "0.6"]
    assert Axis("units", 8, 128, step=8).ticks()[1] == ["8", "40", "72", "96", "128"]
    assert Axis("x", 0, 1, words=(1, True)).place(True) == 1


def test_a_range_without_a_space_is_logarithmic_where_it_is_wide() -> None:
    trials = [made.trial(n, 0.5, values={"a": 10.0**-n, "b": 0.1 * n}) for n in (1, 2, 3, 4)]
    scales = axes(made.study(trials))
    assert (scales["a"].log, scales["b"].log) == (True, False)


def test_thinning_keeps_the_ends_and_the_best() -> None:
    assert thin.spread(list(range(100)), 4) == [0, 33, 66, 99]
    assert thin.spread([1, 2], 4) == [1, 2]
    assert thin.spread([1, 2, 3], 0) == []
    trials = [made.trial(n) for n in range(1, 101)]
    assert [t.number for t in thin.ranked(trials, 6)] == [1, 2, 3, 4, 52, 100]
