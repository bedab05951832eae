"""``study.json`` when it is damaged or gone: the record does not tell all that stands in it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from gru_tune import bounds
from gru_tune.study.results import StudyFolder


def loss(folder: StudyFolder, over: bool) -> str:
    """What became of ``study.json``, as ``is damaged: not UTF-8 text``; "" for a whole one.

    Only a study that is not ``over``, to its end, may have none yet.
    """
    try:
        bounds.json_object(folder.facts)
    except FileNotFoundError:
        return "is gone" if over else ""
    except OSError as error:
        return f"cannot be read: {(error.strerror or str(error)).lower()}"
    except json.JSONDecodeError as error:
        return f"is damaged: not JSON from line {error.lineno}, column {error.colno} on"
    except UnicodeDecodeError:
        return "is damaged: not UTF-8 text"
    except ValueError as error:
        return f"is damaged: it {error}"
    return ""


def doubt(folder: StudyFolder, over: bool) -> str:
    """What a reader of the study must know of a lost ``study.json``, and what to do; "" for a whole one."""
    if not (what := loss(folder, over)):
        return ""
    again = ", which reads the test split again" if over else ""
    return f"{folder.facts} {what}; run the study again to make it anew{again}"


def aside(folder: StudyFolder) -> Path | None:
    """Keep a damaged ``study.json`` under another name, that of the one before; None where there is none."""
    if not folder.facts.exists():
        return None
    kept = folder.facts.with_name(f"{folder.facts.name}.damaged")
    os.replace(folder.facts, kept)
    return kept
