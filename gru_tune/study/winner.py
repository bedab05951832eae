"""What happens when a search is over: the winner's file, the baselines, the locked test split."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from gru_tune.data.dataset import Split
from gru_tune.executors.base import Executor, WorkerDied
from gru_tune.knobs import Settings
from gru_tune.learning.checkpoints import MODEL
from gru_tune.study.described import note
from gru_tune.study.hanging import result
from gru_tune.study.results import (
    StudyFolder,
    read_json,
    replace_arrays,
    replace_copy,
    replace_text,
    test_result,
)
from gru_tune.study.watch import Watcher
from gru_tune.study.work import Arrays
from gru_tune.trial import Job, Objective, Trial
from gru_tune.wording import plural

LONGEST = 2 * 3600.0  # seconds that judging a model may take
SLOWEST = 10  # times as long as the longest of its finals, that training the winner once more may take
Judged = dict[str, Any]
Judge = Callable[[Path, Path, Settings, Split, Sequence[str], Objective], Judged]
Retrain = Callable[[Job, int, Path], None]
Sample = Callable[[Path, Path, Settings, Path], None]


@dataclass(frozen=True)
class Parts:
    """What a worker does with the winner; tests put stand-ins here."""

    judge: Judge  # metrics, intervals, baselines, details and examples on a split
    retrain: Retrain  # train on training and validation split, for so many epochs, into a folder
    sample: Sample  # some inputs, and what the model says of them, into a file


@dataclass(frozen=True)
class Finish:
    """The last steps of a study; each is done once, however often the study is run again.

    ``winner`` is everywhere the run whose weights are handed over.
    """

    folder: StudyFolder
    executor: Executor
    watch: Watcher
    parts: Parts
    metrics: Sequence[str]
    objective: Objective
    retrained: bool  # whether the winner is to be trained again on training and validation split
    data: Arrays

    def keep(self, winner: Trial | None) -> None:
        """Make ``best.keras`` the model of ``winner``."""
        if winner is None or (self._written(winner) and self.folder.best.exists()):
            return
        model = self.folder.trial(winner.number, winner.repeat) / MODEL
        if not model.exists():
            self.watch.say(f"{model} is gone, so {self.folder.best} cannot be written")
            return
        self.folder.examples.unlink(missing_ok=True)
        shutil.rmtree(self.folder.judged, ignore_errors=True)
        self._replace(model)
        self._note(
            best=winner.number, best_repeat=winner.repeat, best_epoch=_epoch(winner), retrained=None, validation=None
        )  # fmt: skip

    def compare(self, winner: Trial, settings: Settings) -> None:
        """The winner and the baselines on the validation split, before it may be trained on that."""
        if not self._written(winner):
            return
        # Whoever uses best.keras without this package needs its window, length and scaling.
        self._note(settings=asdict(settings))
        facts = self._facts()
        if "validation" not in self.data.splits or facts.get("validation") or facts.get("retrained"):
            return
        self.watch.say(f"comparing the winner, trial {winner.number}, with the baselines")
        if (found := self._judged(settings, "validation")) is not None:
            self._note(validation=found)

    def retrain(self, job: Job, finals: Sequence[Trial]) -> None:
        """Make ``best.keras`` anew of training and validation split: as many epochs as the finals needed."""
        epochs = [run.best.number for run in finals if run.best]
        if not epochs or self._facts().get("retrained") or not self.folder.best.exists():
            return
        count = round(fmean(epochs))
        self.watch.say(
            f"training the winner, trial {job.trial}, again on training and validation, {plural(count, 'epoch')}"
        )
        own = self.folder.retrained
        longest = LONGEST + SLOWEST * max(run.seconds for run in finals)
        arguments = (replace(job, folder=str(own)), count, own)
        if self._try(self.parts.retrain, *arguments, longest=longest) is not None:
            self._replace(own / MODEL)
            self._note(retrained={"epochs": count})
        shutil.rmtree(own, ignore_errors=True)

    def test(self, winner: Trial, settings: Settings) -> None:
        """The winner on the test split, unless that is known; and some inputs with what it says of them."""
        if not self._written(winner) or bool(self._facts().get("retrained")) != self.retrained:
            return  # what was to be tested is not there
        if not self.folder.sample.exists():
            self._try(self.parts.sample, self.folder.best, self.data, settings, self.folder.sample)
        if "test" not in self.data.splits or test_result(self._facts(), winner) is not None:
            return
        self.watch.say(f"evaluating the winner, trial {winner.number}, on the test split")
        if (found := self._judged(settings, "test")) is not None:
            look = {
                "trial": winner.number, "repeat": winner.repeat, "epoch": _epoch(winner),
                "retrained": self.retrained, **found, "time": time.time(),
            }  # fmt: skip
            self._note(test=[*self._facts().get("test", []), look])

    def _replace(self, model: Path) -> None:
        """Put another model in the place of ``best.keras``; what tells of the old one goes first."""
        self.folder.sample.unlink(missing_ok=True)
        self.folder.card.unlink(missing_ok=True)
        replace_copy(model, self.folder.best)

    def _judged(self, settings: Settings, split: Split) -> Judged | None:
        arguments = (self.folder.best, self.data, settings, split, self.metrics, self.objective)
        found: Judged | None = self._try(self.parts.judge, *arguments)
        if found is None:
            return None
        baselines: Mapping[str, Any] = found.pop("baselines")
        self._note(baselines={**self._facts().get("baselines", {}), split: baselines})
        examples = {**read_json(self.folder.examples), split: found.pop("examples")}
        replace_text(self.folder.examples, json.dumps(examples, ensure_ascii=False, allow_nan=False))
        replace_arrays(self.folder.resampled(split), found.pop("drawn"))
        return found

    def _try(self, function: Callable[..., Any], *arguments: Any, longest: float = LONGEST) -> Any:
        """Run a function at a worker; a failure is told and gives None, and no result True."""
        given = [argument() if argument is self.data else argument for argument in arguments]
        future: Future[Any] = self.executor.call(function, *given)
        error = result(self.executor, future, longest)
        if error is None:
            return True if future.result() is None else future.result()
        reason = str(error) if isinstance(error, WorkerDied) else f"{type(error).__name__}: {error}"
        self.watch.say(f"that did not work ({reason}); run the study again to try it again")
        return None

    def _written(self, winner: Trial) -> bool:
        """Whether ``best.keras`` was made of the winner, as far as it is trained now."""
        facts = self._facts()
        epoch = _epoch(winner)
        return (
            (facts.get("best"), facts.get("best_repeat", 1)) == (winner.number, winner.repeat)
            and facts.get("best_epoch", epoch) == epoch
            and (self.retrained or not facts.get("retrained"))
        )

    def _facts(self) -> dict[str, Any]:
        return read_json(self.folder.facts)

    def _note(self, **facts: Any) -> None:
        note(self.folder, **facts)


def _epoch(winner: Trial) -> int | None:
    """The epoch whose weights are kept: a winner that is trained further may have a later one."""
    return winner.best.number if winner.best else None
