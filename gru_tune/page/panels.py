"""Small multiples: many little plots that share their traces and their legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gru_tune.page.figure import styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

# In pixels: a row of panels, a line of a title, and what is left for the legend and for an axis.
HEIGHT, LINE, LEGEND, AXIS = 200, 15, 45, 45


class Panels:
    """A grid of little plots with ``titles`` (escaped; lines end at ``<br>``), filled row by row; ``wide`` of them stand side by side."""

    def __init__(self, titles: Sequence[str], wide: int = 2, height: int = HEIGHT) -> None:
        from plotly.subplots import make_subplots

        self.wide = min(wide, len(titles))
        self.count = len(titles)
        rows = -(-self.count // self.wide)
        self.title = LINE * max(1 + title.count("<br>") for title in titles)
        self.inner = rows * height
        self.plot = make_subplots(
            rows=rows,
            cols=self.wide,
            subplot_titles=titles,
            vertical_spacing=min((AXIS + self.title) / self.inner, 0.5 / rows),
            horizontal_spacing=0.08,
        )
        self._named: set[str] = set()

    def add(self, number: int, trace: go.Scatter | go.Heatmap, **places: Any) -> None:
        """Draw ``trace`` in a panel; a name is told once in the legend, and switches all of that name."""
        first = trace.name not in self._named
        self._named.add(trace.name)
        trace.update(legendgroup=trace.name, showlegend=first)
        row, column = divmod(number, self.wide)
        self.plot.add_trace(trace, row=row + 1, col=column + 1, **places)

    def finished(self, below: str = "") -> go.Figure:
        """The plot, with the look of all others; ``below`` is what the axes of all panels are, told at the lowest ones."""
        top = LEGEND + self.title
        plot = styled(self.plot, top + self.inner + AXIS)
        plot.update_annotations(font_size=12)
        for number in range(max(self.count - self.wide, 0), self.count):
            row, column = divmod(number, self.wide)
            plot.update_xaxes(title=below or None, row=row + 1, col=column + 1)
        # The legend stands above the titles of the first row.
        plot.update_layout(margin={"t": top, "b": AXIS, "l": 50}, legend_y=1 + (self.title + 5) / self.inner)
        return plot
