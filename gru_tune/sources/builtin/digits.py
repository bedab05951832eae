"""1,797 handwritten digits of 8 by 8 pixels (UCI; a copy comes with scikit-learn)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gru_tune.data.frame import Frame
from gru_tune.errors import DataError


def digits() -> Frame:
    """``x`` (1797, 8, 8): rows of pixels, from 0 to 16, as steps; ``y``: the digit."""
    # The file is read where it lies: importing scikit-learn takes longer than the rest of a check.
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DataError("data.path: builtin:digits comes with scikit-learn, which is not installed")
    path = Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
    if path.exists():
        import pandas as pd

        table = np.asarray(pd.read_csv(path, header=None))
    else:
        from sklearn.datasets import load_digits

        table = np.column_stack(load_digits(return_X_y=True))
    x, y = table[:, :64].reshape(-1, 8, 8), table[:, 64]
    return Frame("builtin:digits", arrays={"x": x.astype(np.float32), "y": y.astype(np.int64)})
