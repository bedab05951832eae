"""The pictures as files."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from gru_tune.errors import StudyError
from gru_tune.page import layout, png
from gru_tune.page.figure import Figure, styled
from tests.page import studies
from tests.page.conftest import chromium


def size(path: Path) -> tuple[int, int]:
    """Width and height, as the head of a PNG file has them."""
    found: tuple[int, int] = struct.unpack(">II", path.read_bytes()[16:24])
    return found


@pytest.mark.slow
def test_the_main_pictures_are_written(tmp_path: Path) -> None:
    pytest.importorskip("kaleido")
    if chromium() is None:
        pytest.skip("no Chromium on this machine")
    study = studies.study("whole", tmp_path / "study")
    written = png.write(study, tmp_path / "new" / "pictures")
    main = [figure.key for figure in layout.figures(study) if figure.main and figure.plot]
    assert [path.name for path in written] == [f"{key}.png" for key in main]
    assert {"winner-objective", "history"} <= set(main)
    assert {size(path) for path in written} == {(2400, 1350)}


def test_a_picture_alone_is_dark_on_white_and_has_its_title() -> None:
    import plotly.graph_objects as go

    plot = styled(go.Figure(go.Scatter(y=[1, 2])))
    alone = png.on_paper(Figure("key", "A <b>title</b>", "", plot, thinned="2 of 3"))
    assert alone.layout.title.subtitle.text == "2 of 3"
    assert alone.layout.title.text == "A &lt;b&gt;title&lt;/b&gt;"
    assert alone.layout.paper_bgcolor == "#fff"
    assert plot.layout.title.text is None  # the page's own is left as it was


def test_without_kaleido_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "find_spec", lambda name: None)
    with pytest.raises(StudyError) as error:
        png.write(studies.study("whole", tmp_path / "study"), tmp_path / "pictures")
    assert str(error.value) == "--png needs kaleido, not installed here: pip install 'gru-tune[png]'"


def test_without_a_browser_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("kaleido")
    from choreographer.browsers.chromium import Chromium

    monkeypatch.setattr(Chromium, "find_browser", lambda *args, **options: None)
    with pytest.raises(StudyError) as error:
        png.write(studies.study("whole", tmp_path / "study"), tmp_path / "pictures")
    assert str(error.value) == (
        "--png draws with Chrome or Chromium, and there is none on this machine: install one of them, "
        "or open report.html, whose pictures can be saved one by one"
    )


def test_a_study_without_a_score_has_no_pictures(tmp_path: Path) -> None:
    pytest.importorskip("kaleido")
    study = studies.study("failures", tmp_path / "study")
    with pytest.raises(StudyError) as error:
        png.write(study, tmp_path / "pictures")
    assert str(error.value) == f"{tmp_path / 'study'}: no trial has a score, so there is no picture to write"
    assert not (tmp_path / "pictures").exists()
