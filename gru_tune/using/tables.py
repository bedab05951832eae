"""Predictions as a table: one row a sequence, a step, or a step ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gru_tune.data.apply import NewData
from gru_tune.data.encoding import Labels
from gru_tune.data.preprocessing import Preprocessing
from gru_tune.data.raw import Raw, Words
from gru_tune.learning.truth import Truth
from gru_tune.using.ahead import continued, plain

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]
Columns = dict[Any, Any]


def table(fitted: Preprocessing, new: NewData, truth: Truth, y_pred: NDArray[Any]) -> pd.DataFrame:
    """Where every prediction belongs, and what it is: classes by name, numbers in the units of the data."""
    import pandas as pd

    if truth.form == "horizon":
        where, y_pred = _ahead(fitted, new), y_pred.reshape(-1, y_pred.shape[-1])
    elif truth.form == "steps" or fitted.timeline:
        where = _steps(fitted, new.raw, truth.rows)
    else:
        where = _sequences(fitted, new.raw, truth.rows)
    if not isinstance(fitted.goal, Labels):
        what: Columns = dict(zip(fitted.targets, fitted.goal.restore(y_pred).T, strict=True))
    else:
        what = {"prediction": np.array(fitted.labels, dtype=object)[y_pred.argmax(axis=1)]}
        if truth.form == "steps":
            what["probability"] = y_pred.max(axis=1)
        else:
            what |= {f"probability_{name}": y_pred[:, n] for n, name in enumerate(fitted.labels)}
    return pd.DataFrame({**where, **what})


def _sequences(fitted: Preprocessing, raw: Raw, which: Ints) -> Columns:
    if raw.origin.ids:
        return {fitted.section["series"]: np.array(raw.origin.ids, dtype=object)[which]}
    return {"row": raw.origin.rows[which] + 1}


def _steps(fitted: Preprocessing, raw: Raw, rows: Ints) -> Columns:
    owner = np.searchsorted(raw.starts, rows, side="right") - 1
    columns: Columns = {}
    if raw.origin.ids:
        columns[fitted.section["series"]] = np.array(raw.origin.ids, dtype=object)[owner]
    if fitted.timeline:
        columns["row"] = raw.origin.rows[rows] + 1
    else:
        columns |= {} if raw.origin.ids else {"row": raw.origin.rows[owner] + 1}
        columns["step"] = rows - raw.starts[owner] + 1
    if isinstance(raw.x, Words):
        columns["token"] = np.array(raw.x.words, dtype=object)[raw.x.ids[rows]]
    if raw.origin.stamps is not None:
        stamps = raw.origin.stamps.rows(rows)
        times = plain(stamps.values) if stamps.dates is None else stamps.dates
        columns[_time_name(fitted)] = _written(times, stamps.form)
    return columns


def _ahead(fitted: Preprocessing, new: NewData) -> Columns:
    import pandas as pd

    raw, horizon = new.raw, int(fitted.section["horizon"])
    columns: Columns = {}
    if raw.origin.ids:
        names = np.array(raw.origin.ids, dtype=object)[new.series]
        columns[fitted.section["series"]] = np.repeat(names, horizon)
    if raw.origin.stamps is not None:
        times: list[Any] = []
        for series in new.series:
            own = raw.origin.stamps.rows(raw.starts[series] + np.arange(raw.lengths[series]))
            times += continued(own, horizon, fitted.step)
        stamps = raw.origin.stamps
        whole = pd.Series(times, dtype=object) if stamps.dates is None else pd.DatetimeIndex(times)
        columns[_time_name(fitted)] = _written(whole, stamps.form)
    columns["step"] = np.tile(np.arange(1, horizon + 1), len(new.series))
    return columns


def _time_name(fitted: Preprocessing) -> str:
    name = fitted.section["time"]
    return name if isinstance(name, str) else "time"


def _written(times: Any, form: str | None) -> Any:
    """Dates as the file writes them."""
    return times if form is None else times.strftime(form)
