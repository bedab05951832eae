"""Single samples of the split: what went in, what the winner said, and what was true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gru_tune.page.figure import BEST, SCALE, SEQUENCE, TRIALS, Figure, clipped
from gru_tune.page.panels import Panels
from gru_tune.page.thin import short
from gru_tune.report.numbers import number
from gru_tune.report.read import Study
from gru_tune.study.results import read_json

if TYPE_CHECKING:
    import plotly.graph_objects as go

FIRST_WORD = 2  # the id of the first word; 1 is any word that training lacks
UNKNOWN = "⟨?⟩"
CUT = "…"
LINES = 4  # inputs that are told apart as lines; more are drawn as colours
NAME, TICKED = 12, 8  # characters of the name of an input beside its colours, and how many are named

Example = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """The words of the study's vocabulary, and what stands between two of them."""

    words: Sequence[str]
    between: str

    @classmethod
    def of(cls, study: Study) -> Words:
        fitted = read_json(study.folder.preprocessing)
        letters = fitted.get("section", {}).get("level") == "character"
        return cls(fitted.get("vocabulary") or (), "" if letters else " ")

    def word(self, number: int) -> str:
        place = number - FIRST_WORD
        return self.words[place] if 0 <= place < len(self.words) else UNKNOWN

    def text(self, example: Example) -> str:
        """The input of an example, cut where it was long."""
        text = self.between.join(map(self.word, example["words"]))
        return text + (f" {CUT}" if example["length"] > len(example["words"]) else "")


def mistakes(examples: Mapping[str, Any], words: Words, honest: str) -> Figure | None:
    """Where the winner was most sure of a wrong class."""
    found, wrong, count = examples["mistakes"], examples["wrong"], examples["samples"]
    if not found:
        return None
    caption = (
        f"The winner is wrong on {wrong:,} of {count:,}; these it was most sure of. Look for labels that are wrong, for "
        f"inputs that were cut short, for what the classes share. They are {honest}"
    )
    left = f"{len(found)} of {wrong:,} mistakes are shown." if len(found) < wrong else ""
    if "words" in found[0]:
        rows = [
            (words.text(one), one["true"], one["predicted"], f"{one['chance']:.1%}", _chance(one), _where(one))
            for one in found
        ]  # fmt: skip
        heads = ("input", "true", "predicted", "its chance", "chance of the true one", "where")
        return Figure(
            "mistakes", "Most confident mistakes", caption + _unknown(found), html=_table(heads, rows), thinned=left
        )  # fmt: skip
    titles = [
        f"{one['where']}<br>true: {clipped(one['true'], 20)}<br>said: {clipped(one['predicted'], 14)} ({one['chance']:.0%})"
        for one in found
    ]
    plot, key = _inputs(found, titles)
    thinned = " ".join(filter(None, [left, _some(found)]))
    return Figure("mistakes", "Most confident mistakes", caption + key, plot=plot, thinned=thinned)


def misses(examples: Mapping[str, Any], words: Words, honest: str) -> Figure | None:
    """The samples whose numbers the winner misses by most."""
    found, count = examples["misses"], examples["samples"]
    if not found:
        return None
    caption = (
        "The predictions farthest from the truth. Look for truths that are wrong, and for what these inputs have that "
        f"others lack. They are {honest}"
    )
    left = f"{len(found)} of {count:,} samples are shown."
    if len(found[0]["targets"]) > 1:
        left += f" Of the targets only {found[0]['targets'][0]['target']} is shown; the error is that of all."
    first = [one["targets"][0] for one in found]
    told = [(number(one["true"][0]), number(one["predicted"][0])) for one in first]
    name = first[0]["target"]
    if "words" in found[0]:
        rows = [(words.text(one), *pair, _where(one)) for one, pair in zip(found, told, strict=True)]
        heads = ("input", f"true {name}", "predicted", "where")
        return Figure("misses", "Largest errors", caption + _unknown(found), html=_table(heads, rows), thinned=left)  # fmt: skip
    titles = [
        f"{one['where']}<br>true {clipped(name, 14)}: {true}<br>predicted: {guess}"
        for one, (true, guess) in zip(found, told, strict=True)
    ]
    plot, key = _inputs(found, titles)
    thinned = " ".join(filter(None, [left, _some(found)]))
    return Figure("misses", "Largest errors", caption + key, plot=plot, thinned=thinned)


def tagged(examples: Mapping[str, Any], words: Words, honest: str) -> Figure | None:
    """Sequences with the true and the predicted class of every step."""
    found, wrong, count = examples["tagged"], examples["wrong"], examples["samples"]
    caption = (
        f"{wrong:,} of {count:,} steps are wrong: first the sequences with most errors, then others from the worst to "
        f"the best. They are {honest}"
    )
    if "words" not in found[0]:
        return _steps(found, caption)
    html = Markup("").join(_sentence(one, words) for one in found)
    key = " Under a word is its true class; an error is framed, with the prediction after ✗."
    return Figure("tagged", "Tagged sequences", caption + key + _unknown(found), html=html)


def _sentence(one: Example, words: Words) -> Markup:
    token = Markup('<span class="token"><span>{}</span><bdi>{}</bdi></span>')
    error = Markup(
        '<span class="token wrong"><span>{}</span><bdi>{}</bdi><strong>✗ <bdi>{}</bdi></strong></span>'
    )
    parts = [
        token.format(word, true) if true == told else error.format(word, true, told)
        for word, true, told in zip(map(words.word, one["words"]), one["true"], one["predicted"], strict=True)
    ]
    head = Markup('<p class="caption">{} ({}): {} of {} wrong</p>').format(
        one["where"], one["rank"], one["wrong"], one["length"]
    )
    # The direction of the first word is that of the sentence.
    return Markup('{}<p class="tagged" dir="auto">{}</p>').format(head, Markup("").join(parts))


def _steps(found: Sequence[Example], caption: str) -> Figure:
    """Classes of steps without words, as lines."""
    import plotly.graph_objects as go

    classes = sorted({name for one in found for name in (*one["true"], *one["predicted"])})
    panels = Panels([f"{one['where']}<br>{one['wrong']} of {one['length']} wrong" for one in found])
    for place, one in enumerate(found):
        steps = list(range(1, one["length"] + 1))
        for name, key, colour, dash in (
            ("truth", "true", TRIALS, "solid"),
            ("prediction", "predicted", BEST, "dot"),
        ):
            line = {"shape": "hvh", "color": colour, "dash": dash}
            y = [classes.index(label) for label in one[key]]
            panels.add(place, go.Scatter(x=steps, y=y, name=name, mode="lines", line=line))
    plot = panels.finished()
    ticks = list(range(len(classes)))
    plot.update_yaxes(tickvals=ticks, ticktext=[clipped(name, 14) for name in classes])
    return Figure("tagged", "Classes step by step", caption, plot=plot)


def _inputs(found: Sequence[Example], titles: Sequence[str]) -> tuple[go.Figure, str]:
    """The inputs of examples, a little plot each, and how it is to be read."""
    if len(found[0]["series"]) <= LINES:
        return _lines(found, titles), ""
    return _maps(found, titles), (
        " A row is an input, the first on top; the lighter, the greater: every input has its own scale, from its smallest "
        "to its greatest value in these pictures."
    )


def _some(found: Sequence[Example]) -> str:
    """Which inputs are shown, where there are more."""
    names = [feature["name"] for feature in found[0]["series"]]
    every = found[0].get("features", len(names))
    return f"{len(names)} of {every:,} inputs are shown, evenly spread." if every > len(names) else ""


def _maps(found: Sequence[Example], titles: Sequence[str]) -> go.Figure:
    """Many inputs, as colours."""
    import plotly.graph_objects as go

    rows = [
        [value for one in found for value in one["series"][n]["values"] if value is not None] or [0.0]
        for n in range(len(found[0]["series"]))
    ]
    ends = [(min(row), max(row)) for row in rows]
    names = [clipped(feature["name"], NAME) for feature in found[0]["series"]]
    places = list(range(len(names)))
    panels = Panels(titles)
    for place, one in enumerate(found):
        told = [feature["values"] for feature in one["series"]]
        shares = [
            [None if value is None else short((value - low) / (high - low or 1)) for value in row]
            for row, (low, high) in zip(told, ends, strict=True)
        ]
        heat = go.Heatmap(
            z=shares, x=one["at"], y=places, customdata=told, name="inputs", colorscale=SCALE, zmin=0, zmax=1, showscale=False,
            text=[[name] * len(row) for name, row in zip(names, told, strict=True)],
            hovertemplate="%{text}, step %{x}: %{customdata}<extra></extra>",
        )  # fmt: skip
        panels.add(place, heat)
    plot = panels.finished(below="step")
    plot.update_traces(showlegend=False)
    ticks = places[:: -(-len(places) // TICKED)]
    plot.update_yaxes(
        tickvals=ticks, ticktext=[names[n] for n in ticks], autorange="reversed", showgrid=False
    )
    plot.update_xaxes(showgrid=False)
    return plot


def _lines(found: Sequence[Example], titles: Sequence[str]) -> go.Figure:
    """Few inputs, as lines."""
    import plotly.graph_objects as go

    panels = Panels(titles)
    for place, one in enumerate(found):
        for colour, feature in zip(SEQUENCE, one["series"], strict=False):
            line = {"color": colour, "width": 1.5}
            trace = go.Scatter(
                x=one["at"], y=feature["values"], name=clipped(feature["name"]), mode="lines", line=line
            )
            panels.add(place, trace)
    return panels.finished(below="step")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    top = Markup("").join(Markup("<th scope=col>{}</th>").format(head) for head in heads)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td><bdi>{}</bdi></td>").format(cell) for cell in row)
        )
        for row in rows
    )
    return Markup(
        '<div class="wide" tabindex="0" role="region" aria-label="Examples"><table class="small examples">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(top, body)


def _where(one: Example) -> str:
    return str(one["where"]).replace(" ", "\N{NO-BREAK SPACE}")


def _chance(one: Example) -> str:
    return "not in training" if one["chance_of_true"] is None else f"{one['chance_of_true']:.1%}"


def _unknown(found: Sequence[Example]) -> str:
    """What stands for words the model cannot know, where there are any."""
    return f" {UNKNOWN} is a word that the model does not know." if any(1 in one["words"] for one in found) else ""  # fmt: skip
