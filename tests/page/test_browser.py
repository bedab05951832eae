"""The page in a browser: it draws all it has, asks for nothing, and can be used by everybody."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gru_tune import page as pages
from gru_tune.page import compared
from gru_tune.report import read
from tests.page import studies
from tests.report import builders, made

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

pytestmark = pytest.mark.slow

UNDRAWN = """() => [...document.querySelectorAll('[data-plot]')].filter(place => {
  const box = place.querySelector('svg.main-svg, canvas')?.getBoundingClientRect();
  return !box || box.width < 100 || box.height < 100;
}).map(place => place.dataset.plot)"""
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"
BESIDE_PLOTS = {"exclude": [[".svg-container"]]}  # thousands of shapes, that their group names as a whole
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


@dataclass
class Opened:
    """A page, and what went wrong or out while it was opened."""

    page: Page
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":  # a driver's warnings about its speed are not the page's
            self.wrong.append(message.text)

    def cells(self, column: str) -> list[str]:
        """The texts below a head of the table."""
        heads = self.page.locator("#table th").all_inner_texts()
        return self.page.locator(f"#table tbody td:nth-child({heads.index(column) + 1})").all_inner_texts()

    def sort(self, column: str) -> None:
        self.page.locator("#table th").get_by_role("button", name=column, exact=True).click()


Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The page of every kind of study, made when it is first asked for."""
    made: dict[str, Path] = {}

    def write(kind: str) -> Path:
        if kind not in made:
            made[kind] = pages.write(studies.study(kind, tmp_path_factory.mktemp(kind)))
        return made[kind]

    return write


@pytest.fixture
def opened(browser: Browser, written: Callable[[str], Path]) -> Iterator[Open]:
    contexts = []

    def open_(kind: str, viewport: dict[str, int] | None = None, scheme: str = "light") -> Opened:
        options: Any = {"viewport": viewport or DESK, "color_scheme": scheme}
        context = browser.new_context(**options)
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("console", found.hear)
        found.page.on("pageerror", lambda error: found.wrong.append(str(error)))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(written(kind).as_uri())
        found.page.wait_for_selector("html[data-ready]")
        return found

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("kind", studies.SPECIAL)
def test_all_is_drawn_nothing_is_asked_for_and_nobody_is_kept_out(
    kind: str, opened: Open, written: Callable[[str], Path]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = opened(kind)
    assert found.page.evaluate(UNDRAWN) == []
    for _ in ("light", "dark"):
        violations = axe.run(found.page, BESIDE_PLOTS).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in violations if v["impact"] != "minor"] == []
        found.page.locator("#scheme").click()
    assert found.wrong == []
    assert found.asked == [written(kind).as_uri()]


@pytest.mark.parametrize("kind", ["whole", "hostile"])
def test_a_phone_scrolls_only_downward(kind: str, opened: Open) -> None:
    found = opened(kind, PHONE)
    assert found.page.evaluate(TOO_WIDE) <= 0
    assert found.page.evaluate(UNDRAWN) == []


def test_the_table_is_sorted_and_filtered(opened: Open) -> None:
    found = opened("whole")
    found.sort("accuracy")
    up = found.cells("accuracy")
    found.sort("accuracy")
    down = found.cells("accuracy")
    assert up == [*sorted(up[:11], key=float), ""]  # numbers as numbers, empty cells last either way
    assert down == [*sorted(up[:11], key=float, reverse=True), ""]
    head = found.page.locator("#table th[aria-sort]")
    assert (head.inner_text().split()[0], head.get_attribute("aria-sort")) == ("accuracy", "descending")
    found.page.locator("#table th").get_by_role("button", name="trial", exact=True).focus()
    found.page.keyboard.press("Enter")
    assert found.cells("trial") == [str(number) for number in range(1, 13)]

    status, search = found.page.locator("#status"), found.page.locator("#filter")
    status.select_option("failed")
    assert found.cells("trial") == ["10"]
    assert found.page.locator("#count").inner_text() == "1 of 12 trials"
    status.select_option("")
    search.fill("MEMORY out")
    assert found.cells("trial") == ["10"]
    search.fill("nothing like it")
    assert found.cells("trial") == []
    assert found.page.locator("#count").inner_text() == "0 of 12 trials"


def test_confirmed_scores_are_sorted_by_their_means(browser: Browser, tmp_path: Path) -> None:
    """0.0123 is more than 0.00850, though 850 is more than 123."""
    final = made.finals({"trial": 2, "mean": 0.0085, "spread": 0.001}, {"trial": 5, "mean": 0.0123})
    builders.study(tmp_path, facts={**studies.FINISHED, **final})
    context = browser.new_context()
    found = Opened(context.new_page())
    found.page.goto(pages.write(read.study(tmp_path)).as_uri())
    found.page.wait_for_selector("html[data-ready]")
    orders = []
    for _ in range(2):
        found.sort("confirmed")
        orders.append(found.cells("trial")[:2])
    context.close()
    assert orders == [["2", "5"], ["5", "2"]]


def test_thousands_of_trials_come_a_page_at_a_time(opened: Open) -> None:
    found = opened("many")
    assert found.cells("rank") == [str(rank) for rank in range(1, 51)]
    found.page.get_by_role("button", name="Next").click()
    assert found.cells("rank")[0] == "51"
    assert found.page.locator("#page").inner_text() == "51 to 100"
    found.sort("rank")  # the second press: the worst first
    assert found.cells("rank")[0] == "2000"


def test_texts_do_not_run_and_can_be_taken_along(opened: Open, tmp_path: Path) -> None:
    found = opened("hostile")
    assert found.page.title() == f"{studies.NAME} – gru-tune report"
    found.page.locator("#status").select_option("completed")
    with found.page.expect_download() as download:
        found.page.get_by_role("button", name="Download as CSV").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    assert set(rows[0]) >= studies.SHOWN


def test_the_plots_have_the_colours_of_the_page_and_of_paper(opened: Open) -> None:
    found = opened("whole", scheme="dark")
    ink = partial(found.page.evaluate, "getComputedStyle(document.querySelector('.plot .xtitle')).fill")
    back = partial(found.page.evaluate, "getComputedStyle(document.body).backgroundColor")
    assert (ink(), back()) == ("rgb(232, 234, 237)", "rgb(20, 23, 27)")
    found.page.get_by_role("button", name="Switch to light colours").click()
    assert (ink(), back()) == ("rgb(29, 33, 38)", "rgb(255, 255, 255)")
    found.page.get_by_role("button", name="Switch to dark colours").click()
    found.page.emulate_media(media="print")
    found.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert (ink(), back()) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    assert not found.page.locator("nav, #filters").filter(visible=True).count()
    assert found.page.evaluate("[...document.querySelectorAll('details')].every(one => one.open)")


def test_a_comparison_is_drawn_and_keeps_nobody_out(browser: Browser, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for kind in ("whole", "hostile"):
        studies.study(kind, tmp_path / kind)
    context = browser.new_context(viewport={"width": 360, "height": 740})
    found = context.new_page()
    found.goto(compared.write([tmp_path], tmp_path / "compared.html").as_uri())
    found.wait_for_selector("html[data-ready]")
    assert found.evaluate(UNDRAWN) == []
    assert found.evaluate(TOO_WIDE) <= 0
    assert [v["id"] for v in axe.run(found, BESIDE_PLOTS).response["violations"]] == []
    context.close()
