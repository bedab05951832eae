"""What report.html costs: seconds to read a study, to make its page and to open it, and the page's size.

    python -m benchmarks.report [TRIALS ...]

Opening is measured in headless Chromium where there is one (and Playwright, of the extra ``dev``): until
all pictures are drawn, and from a click on a head of the table, or a word to filter by, to the next picture of it.

The studies are those of ``benchmarks.big_study``. The first page of a process also pays for
importing plotly and Optuna; it has a line of its own.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import big_study
from gru_tune import page
from gru_tune.report import read

TRIALS = (10, 1_000, 10_000)


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
# Milliseconds from an event to the next picture that the browser has drawn.
TIMED = """([select, event, value]) => new Promise(done => {
  const element = document.querySelector(select), start = performance.now();
  if (value) element.value = value;
  element.dispatchEvent(new Event(event, { bubbles: true }));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""


def opened(file: Path) -> str:
    """Seconds until all is drawn, milliseconds to sort by the score, by the status, and to filter."""
    from importlib.util import find_spec

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None or find_spec("playwright") is None:
        return "not measured: no Chromium, or no Playwright"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready=yes]", timeout=120_000)
        ready = time.perf_counter() - start
        head = "#table th:nth-child({}) button"
        score, status = (page.evaluate(TIMED, [head.format(n), "click", ""]) for n in (4, 3))
        filtered = page.evaluate(TIMED, ["#filter", "input", "failed"])
        browser.close()
    return f"{ready:7.1f}   {score:8.0f}   {status:9.0f}   {filtered:9.0f}"


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        page.html(read.study(big_study.write(Path(folder) / "first", 10).path))
        print(f"imports and a first page: {time.perf_counter() - start:.1f} s")
        print("trials   read, s   page, s   megabytes   open, s   sort, ms   words, ms   filter, ms")
        for trials in sizes:
            made = big_study.write(Path(folder) / str(trials), trials)
            start = time.perf_counter()
            study = read.study(made.path)
            middle = time.perf_counter()
            text = page.html(study)
            end = time.perf_counter()
            megabytes = len(text.encode()) / 1e6
            file = made.report
            file.write_text(text, encoding="utf-8")
            costs = f"{middle - start:7.2f}   {end - middle:7.2f}   {megabytes:9.2f}"
            print(f"{trials:6,d}   {costs}   {opened(file)}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(TRIALS))
