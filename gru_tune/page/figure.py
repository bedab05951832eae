"""What the parts of the page are made of, and how all pictures look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from gru_tune.trial import Status
from gru_tune.wording import cut

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Colours that the colour-blind tell apart (Okabe and Ito, 2008), legible on white and on black.
BEST, TRIALS, BASELINE, FAILED, OTHER = "#d55e00", "#3b8ccb", "#8a8a8a", "#b3589a", "#009e73"
SEQUENCE = (TRIALS, BEST, OTHER, FAILED, "#b8860b", "#56b4e9", "#8a8a8a")
SCALE = "Viridis"  # for a number shown as a colour
ENDS = (  # how trials with a score end: their names and signs in a picture
    (Status.COMPLETED, "trained to the end", "circle"),
    (Status.STOPPED, "stopped early", "circle-open"),
)
GRID = "rgba(128,128,128,0.22)"
LONGEST = 28  # characters of a name in a plot, which a phone has room for


@dataclass(frozen=True)
class Figure:
    """A picture of the page, and how it is to be read.

    Either a ``plot`` or ready ``html`` (escaped: made with ``Markup.format`` or by an
    autoescaping template). Texts are plain and are escaped where they are set; names in a
    plot go through ``label``, since plotly takes its texts for a kind of HTML.
    """

    key: str  # unique on the page: its anchor, and the name of its PNG
    title: str
    caption: str  # one or two sentences: how to read it
    plot: go.Figure | None = None
    html: Markup | None = None
    thinned: str = ""  # what was left out, such as "2,000 of 10,000 trials are shown"
    main: bool = False  # whether ``report --png`` writes it


def label(text: object) -> str:
    """A text from data or config as plotly shows it literally."""
    from html import escape

    return escape(str(text), quote=False)


def clipped(name: object, most: int = LONGEST) -> str:
    """A name as a plot has room for it: cut where it is long, and escaped."""
    return label(cut(" ".join(str(name).split()), most))


def styled(plot: go.Figure, height: int = 380) -> go.Figure:
    """The look all plots share: see-through, so that the page's own colours show, light or dark."""
    plot.update_layout(
        template="none",
        title=None,
        colorway=SEQUENCE,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
        height=height,
        hoverlabel={"namelength": -1},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )
    plot.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True)
    plot.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True)
    return plot
