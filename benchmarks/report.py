"""What report.html costs: seconds to read a study and to make its page, and the page's size.

    python -m benchmarks.report [TRIALS ...]

The studies are those of ``benchmarks.big_study``. The first page of a process also pays for
importing plotly and Optuna; it has a line of its own.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks import big_study
from gru_tune import page
from gru_tune.report import read

TRIALS = (10, 1_000, 10_000)


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        page.html(read.study(big_study.write(Path(folder) / "first", 10).path))
        print(f"imports and a first page: {time.perf_counter() - start:.1f} s")
        print("trials   read, s   page, s   megabytes")
        for trials in sizes:
            made = big_study.write(Path(folder) / str(trials), trials)
            start = time.perf_counter()
            study = read.study(made.path)
            middle = time.perf_counter()
            text = page.html(study)
            end = time.perf_counter()
            megabytes = len(text.encode()) / 1e6
            print(f"{trials:6,d}   {middle - start:7.2f}   {end - middle:7.2f}   {megabytes:9.2f}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(TRIALS))
