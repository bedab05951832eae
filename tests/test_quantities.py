"""Amounts of memory."""

from __future__ import annotations

import pytest

from gru_tune.quantities import gigabytes, memory


@pytest.mark.parametrize(
    ("text", "count"),
    [("4GB", 4 * 10**9), ("1.5 GiB", 3 * 2**29), ("500mb", 5 * 10**8), (" 2TB ", 2 * 10**12), ("0.5GB", 5 * 10**8)],
)  # fmt: skip
def test_sizes(text: str, count: int) -> None:
    assert memory(text) == count


@pytest.mark.parametrize(
    "text", ["4", 4, 4.0, "GB", "4G", "-1GB", "0GB", "0.0MB", "1e3MB", "4GB or so", "٤GB", True, None, "", "9" * 99 + "TB"]
)  # fmt: skip
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected memory with its unit, as 4GB"):
        memory(text)


def test_sizes_are_shown_in_gigabytes() -> None:
    assert [gigabytes(count) for count in (4 * 10**9, 5 * 10**8, 2**30)] == ["4 GB", "0.5 GB", "1.07 GB"]
