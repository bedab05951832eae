"""The report as one web page that needs nothing else: sentences, plots, a table to sort."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from gru_tune.report.plot import Line, plot
from gru_tune.report.read import Study
from gru_tune.report.words import number, sentences, value
from gru_tune.study.table import COSTS, Row
from gru_tune.trial import Trial
from gru_tune.values import Scalar

CURVES = 10  # trials whose learning curves are drawn, the best ones

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1c1c1c; }
h1 { margin-bottom: .2rem } h2 { margin: 2rem 0 .5rem; font-size: 1.1rem }
p { margin: .3rem 0; max-width: 60rem } p:first-of-type { font-size: 1.15rem }
.plots { display: flex; flex-wrap: wrap; gap: 2rem } figure { margin: 0; flex: 1 1 24rem }
svg { width: 100%; height: auto; font-size: 11px; fill: #333 } figcaption { color: #555 }
.wide { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e5e5e5; white-space: nowrap }
td.long { white-space: normal; text-align: left; min-width: 16rem }
th { cursor: pointer; position: sticky; top: 0; background: #f5f5f5 } tr.failed { color: #999 }
"""

# Sorting by a click on a head: numbers as numbers, empty cells last either way.
SCRIPT = """
document.querySelectorAll('th').forEach((head, column) => head.addEventListener('click', () => {
  const body = document.querySelector('tbody'), up = head.dataset.up !== 'yes';
  head.dataset.up = up ? 'yes' : 'no';
  const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const rows = [...body.rows].sort((a, b) => {
    const x = key(a), y = key(b);
    if (x === '' || y === '') return (x === '') - (y === '');
    const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
    return up ? order : -order;
  });
  body.append(...rows);
}));
"""


def page(study: Study, top: int | None = None) -> str:
    """The whole page; ``top`` limits the table (None: all trials)."""
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences(study))
    notes = "".join(f"<p>Note: {escape(note)}</p>" for note in study.facts.get("notes", ()))
    shown = study.ranked[:top] if top else study.ranked
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(study.name)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(study.name)}</h1>{said}{notes}{_plots(study)}{_baselines(study)}"
        f"<h2>Trials, best first</h2>{_table(study, shown)}<script>{SCRIPT}</script></body></html>\n"
    )


def _plots(study: Study) -> str:
    name = study.objective.name
    level = study.best_baseline("validation")
    figures = [
        (plot(_course(study), "trial", name, level), "Every trial, and the best so far"),
        (
            plot(_curves(study), "epoch", name, level),
            f"Learning curves of the best {CURVES}, validation split",
        ),
    ]
    if cost := study.objective.cost:
        figures.append(
            (
                plot(_costs(study), COSTS[cost], name, level, log=True),
                "Score against cost, and the Pareto set",
            )
        )
    drawn = [f"<figure>{svg}<figcaption>{text}</figcaption></figure>" for svg, text in figures if svg]
    dashed = f"<p>Dashed: the baseline “{escape(level[0])}”.</p>" if level and drawn else ""
    return f'<div class="plots">{"".join(drawn)}</div>{dashed}'


def _course(study: Study) -> list[Line]:
    scores = [
        (t.number, t.score) for t in sorted(study.ranked, key=lambda t: t.number) if t.score is not None
    ]
    best: list[tuple[float, float]] = []
    for trial, score in scores:
        if not best or study.objective.better(score, best[-1][1]):
            best.append((trial, score))
        else:
            best.append((trial, best[-1][1]))
    if not best:
        return []
    return [Line("best so far", best), Line("trials", scores, dots=True)]


def _costs(study: Study) -> list[Line]:
    """Every trial by cost and score, and the Pareto set as a line."""
    points, front = (
        [(t.cost, t.score) for t in trials if t.cost is not None and t.score is not None]
        for trials in (study.ranked, study.front)
    )
    return [Line("trials", points, dots=True), Line("Pareto set", front)]


def _curves(study: Study) -> list[Line]:
    lines = []
    for trial in study.ranked[:CURVES]:
        points = [(float(e.number), e.validation.get(study.objective.name, math.nan)) for e in trial.epochs]
        points = [(x, y) for x, y in points if math.isfinite(y)]
        if trial.score is not None and points:
            lines.append(Line(f"trial {trial.number}: {number(trial.score)}", points))
    return lines


def _baselines(study: Study) -> str:
    parts = []
    for split in ("validation", "test"):
        for name, metrics in study.baselines(split).items():
            shown = ", ".join(f"{metric} {number(v)}" for metric, v in metrics.items())
            parts.append(f"<p>{escape(name)} on the {split} split: {escape(shown)}</p>")
    return f"<h2>Baselines</h2>{''.join(parts)}" if parts else ""


def _table(study: Study, trials: Iterable[Trial]) -> str:
    trials = list(trials)
    columns = study.table.columns(trials)
    heads = "".join(f"<th>{escape(name)}</th>" for name in columns)
    rows = "".join(_row(columns, study.table.row(trial, rank)) for rank, trial in enumerate(trials, start=1))
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(columns: list[str], row: Row) -> str:
    kind = ' class="failed"' if row["status"] == "failed" else ""
    return f"<tr{kind}>{''.join(_cell(name, row.get(name)) for name in columns)}</tr>"


def _cell(column: str, content: Scalar) -> str:
    if content is None or content == "":
        return "<td></td>"
    if column == "error":
        return f'<td class="long">{escape(str(content))}</td>'
    if isinstance(content, float):
        return f'<td data-value="{content!r}">{escape(number(content) if column != "seconds" else value(content))}</td>'
    return f"<td>{escape(value(content))}</td>"
