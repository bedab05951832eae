"""What happens when a search is over: the winner's file, the baselines, the locked test split."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gru_tune.data.dataset import Dataset, Split
from gru_tune.executors.base import Executor, WorkerDied
from gru_tune.knobs import Settings
from gru_tune.study.described import note
from gru_tune.study.results import StudyFolder, read_json, replace_copy, test_result
from gru_tune.study.watch import Watcher
from gru_tune.study.weights import MODEL
from gru_tune.study.work import Arrays
from gru_tune.trial import Trial

Metrics = dict[str, float]
Evaluate = Callable[[Path, Path, Settings, Split, Sequence[str]], Metrics]
Baselines = Callable[[Path, Split], dict[str, Metrics]]


@dataclass(frozen=True)
class Finish:
    """The last steps of a study; each is done once, however often the study is run again."""

    folder: StudyFolder
    executor: Executor
    watch: Watcher
    evaluate: Evaluate
    baselines: Baselines
    metrics: Sequence[str]
    data: Arrays

    def keep(self, winner: Trial | None) -> None:
        """Make ``best.keras`` the model of ``winner``."""
        if winner is None or (self._written(winner) and self.folder.best.exists()):
            return
        model = self.folder.trial(winner.number) / MODEL
        if not model.exists():
            self.watch.say(f"{model} is gone, so {self.folder.best} cannot be written")
            return
        replace_copy(model, self.folder.best)
        self._note(best=winner.number, best_epoch=_epoch(winner))

    def judge(self, winner: Trial | None, settings: Settings | None) -> None:
        """Baselines on validation and test; the winner on the test split, unless that is known."""
        if winner is not None and settings is not None and self._written(winner):
            # Whoever uses best.keras without this package needs its window, length and scaling.
            self._note(settings=asdict(settings))
        for split in ("validation", "test"):
            known = self._facts().get("baselines", {})
            if split in self.data.splits and split not in known:
                self.watch.say(f"computing the baselines on the {split} split")
                found = self._try(self.baselines, self.data, split)
                if found is not None:
                    self._note(baselines={**known, split: found})
        looks = self._facts().get("test", [])
        if winner is None or "test" not in self.data.splits or test_result(self._facts(), winner) is not None:
            return
        if not self._written(winner):
            return
        self.watch.say(f"evaluating the winner, trial {winner.number}, on the test split, once")
        metrics = self._try(self.evaluate, self.folder.best, self.data, settings, "test", self.metrics)
        if metrics is not None:
            look = {"trial": winner.number, "epoch": _epoch(winner), "metrics": metrics, "time": time.time()}
            self._note(test=[*looks, look])

    def _try(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function at a worker; a failure is told and gives None."""
        given = [argument() if argument is self.data else argument for argument in arguments]
        future: Future[Any] = self.executor.call(function, *given)
        error = future.exception()
        if error is None:
            return future.result()
        reason = str(error) if isinstance(error, WorkerDied) else f"{type(error).__name__}: {error}"
        self.watch.say(f"that did not work ({reason}); run the study again to try it again")
        return None

    def _written(self, winner: Trial) -> bool:
        """Whether ``best.keras`` was made of the winner, as far as it is trained now."""
        facts = self._facts()
        epoch = _epoch(winner)
        return facts.get("best") == winner.number and facts.get("best_epoch", epoch) == epoch

    def _facts(self) -> dict[str, Any]:
        return read_json(self.folder.facts)

    def _note(self, **facts: Any) -> None:
        note(self.folder, **facts)


def _epoch(winner: Trial) -> int | None:
    """The epoch whose weights are kept: a winner that is trained further may have a later one."""
    return winner.best.number if winner.best else None


def baselines_of(data: Path, split: Split) -> dict[str, Metrics]:
    """The task's baselines on prepared data; runs in a worker."""
    from gru_tune.learning import baselines

    return baselines.compute(Dataset.load(data), split)
