"""Amounts of memory as people write them."""

from __future__ import annotations

import re

from gru_tune.wording import show

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
FORM = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,6}})?) ?({'|'.join(UNITS)})", re.IGNORECASE | re.ASCII)


def memory(text: object) -> int:
    """Bytes: ``4GB`` is 4,000,000,000, ``4GiB`` 4 · 1024³. Raises ``ValueError`` for anything else, and for none."""
    found = FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    units = {unit.lower(): size for unit, size in UNITS.items()}
    size = round(float(found[1]) * units[found[2].lower()]) if found else 0
    if not size:
        raise ValueError(f"expected memory with its unit, as 4GB, 1.5GiB or 500MB, got {show(text)}")
    return size


def gigabytes(count: int) -> str:
    """``4 GB``, ``0.5 GB``, ``1.07 GB``."""
    return f"{count / 1e9:,.3g} GB"
