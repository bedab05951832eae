"""Optuna and PyTorch: ``GridSampler``, one trial at a time, a plain loop over shuffled batches of indices.

python -m benchmarks.others.optuna_torch [etth1.csv]
"""

from __future__ import annotations

import optuna  # type: ignore[import-not-found,unused-ignore]
import torch  # type: ignore[import-not-found,unused-ignore]
from torch import nn

from benchmarks.others import etth1
from benchmarks.others.optuna_grid import search


class Forecaster(nn.Module):  # type: ignore[misc,unused-ignore]
    """A GRU of one or two layers and 24 outputs."""

    def __init__(self, units: int, depth: int) -> None:
        super().__init__()
        self.gru = nn.GRU(len(etth1.COLUMNS), units, depth, batch_first=True)
        self.head = nn.Linear(units, etth1.HORIZON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.gru(x)
        forecast: torch.Tensor = self.head(states[:, -1])
        return forecast


def main() -> None:
    options = etth1.options(__doc__)
    train, validation = (tuple(map(torch.from_numpy, split)) for split in etth1.load(options.csv))
    torch.manual_seed(options.seed)

    def objective(trial: optuna.Trial) -> float:
        batch_size = trial.suggest_categorical("batch_size", etth1.BATCH_SIZE)
        model = Forecaster(
            trial.suggest_categorical("units", etth1.UNITS), trial.suggest_categorical("depth", etth1.DEPTH)
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
        losses: list[float] = []
        for _ in range(options.epochs):
            model.train()
            for batch in torch.split(torch.randperm(len(train[0])), batch_size):
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(model(train[0][batch]), train[1][batch])
                loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
                optimizer.step()
            model.eval()
            with torch.no_grad():
                loss = nn.functional.mse_loss(model(validation[0]), validation[1])
                losses.append(float(loss.item()))
        return min(losses)

    search(objective, options.seed)


if __name__ == "__main__":
    main()
