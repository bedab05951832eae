"""How long a model takes for one sequence."""

from __future__ import annotations

import time
from statistics import median

import numpy as np

from gru_tune.learning.engines import Scorer
from gru_tune.learning.samples import Samples

SECONDS = 0.2  # of calls: a small model takes hundredths of a millisecond, and the machine has other work
LEAST = 5  # calls, however long they take


def latency(scorer: Scorer, samples: Samples) -> float:
    """Milliseconds for one sequence of the median length (or one window): the median of some calls.

    A first call compiles the model for a batch of one and is left out.
    """
    middle = np.argsort(samples.lengths, kind="stable")[len(samples) // 2]
    batch = samples.gather(np.array([middle]), int(samples.lengths[middle]))
    scorer.predict(batch)
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(times) < LEAST or time.perf_counter() < end:
        start = time.perf_counter()
        scorer.predict(batch)
        times.append(time.perf_counter() - start)
    return 1000 * median(times)
