from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _this_process_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What prepares a process for one backend would keep TensorFlow from the tests that come after."""
    from gru_tune.learning import training

    monkeypatch.setattr(training, "configure", lambda backend, threads: None)
    monkeypatch.setattr(training, "warm", lambda: None)
