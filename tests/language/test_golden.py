"""Every bad config of ``golden/`` and the exact text a user reads; ``REGOLD=1`` writes the texts anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gru_tune import config
from gru_tune.errors import ConfigError

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in GOLDEN.glob("*.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_message(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    with pytest.raises(ConfigError) as caught:
        config.load(Path(f"{case}.yaml"))
    text = f"{caught.value}\n"
    expected = GOLDEN / f"{case}.txt"
    if os.environ.get("REGOLD"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


def test_every_text_has_its_config() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == CASES
    assert len(CASES) >= 20
