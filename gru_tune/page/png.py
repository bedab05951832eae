"""The main pictures of a study as PNG files, for slides and mails."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gru_tune.errors import StudyError
from gru_tune.page.figure import Figure, label
from gru_tune.report.read import Study

if TYPE_CHECKING:
    import plotly.graph_objects as go

SIZE = {"width": 1200, "height": 675, "scale": 2}  # of a slide; twice as many dots


def write(study: Study, folder: Path) -> list[Path]:
    """Write the main pictures into ``folder``, named after their keys, and say where.

    Raises ``StudyError`` where there is nothing to draw, or nothing to draw with.
    """
    if find_spec("kaleido") is None:
        raise StudyError("--png needs kaleido, not installed here: pip install 'gru-tune[png]'")
    from kaleido.errors import ChromeNotFoundError
    from plotly.io import write_images

    from gru_tune.page import layout

    figures = [figure for figure in layout.figures(study) if figure.main and figure.plot is not None]
    if not figures:
        raise StudyError(f"{study.folder.path}: no trial has a score, so there is no picture to write")
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{figure.key}.png" for figure in figures]
    try:
        write_images([on_paper(figure) for figure in figures], files, **SIZE)
    except RuntimeError as error:
        if not isinstance(error.__context__, ChromeNotFoundError):  # plotly raises nothing more special
            raise
        raise StudyError(
            "--png draws with Chrome or Chromium, and there is none on this machine: install one of them, "
            "or open report.html, whose pictures can be saved one by one"
        ) from None
    return files


def on_paper(figure: Figure) -> go.Figure:
    """The plot as it stands alone: dark on white, with its title and what was left out."""
    import plotly.graph_objects as go

    plot = go.Figure(figure.plot)
    plot.update_layout(
        title={
            "text": label(figure.title), "subtitle": {"text": label(figure.thinned)},
            "x": 0.02, "xanchor": "left", "y": 0.97, "yanchor": "top",
        },
        paper_bgcolor="#fff",
        font={"color": "#1d2126", "size": 18},
        margin={"t": 180 if figure.thinned else 130, "l": 90},  # for the titles, and below them the legend
        height=SIZE["height"],
    )  # fmt: skip
    return plot
