"""``report.html``: one self-contained page about a study, made of the report's words and plotly's pictures."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from gru_tune.report.read import Study
from gru_tune.study.results import replace_text

HERE = Path(__file__).parent
# Signs that turn round the text after them; without them a name of any script keeps to itself.
TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def html(study: Study, top: int | None = None, live: bool = False) -> str:
    """The whole page; ``top`` limits the table (None or 0: all trials).

    With ``live`` it asks the server it came from whether there is news, and else it never
    reaches for anything outside itself.
    """
    from gru_tune.page import layout

    files = ["script.js", "table.js", *(["live.js"] if live else [])]
    return document("template.html", files, live=live, page=layout.page(study, top))


def document(template: str, files: Sequence[str], live: bool = False, **content: Any) -> str:
    """A template of this folder, filled, with the style, plotly and the scripts in ``files`` inside it."""
    import jinja2
    from plotly.offline import get_plotlyjs

    scripts = [get_plotlyjs(), *(_read(name) for name in files)]
    surroundings = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    surroundings.filters["json"] = embedded
    filled = surroundings.get_template(template).render(
        policy=_policy(scripts, live),
        style=Markup(_read("style.css")),
        scripts=[Markup(script) for script in scripts],
        **content,
    )
    return filled.translate(TURNING)


def write(study: Study, top: int | None = None) -> Path:
    """Write the page into the study's folder, and say where."""
    replace_text(study.folder.report, html(study, top))
    return study.folder.report


def embedded(value: Any) -> Markup:
    """JSON for a script element: a plot, or anything that JSON knows; no text in it can end the element."""
    from plotly.basedatatypes import BaseFigure
    from plotly.io import to_json

    text = (
        to_json(value)
        if isinstance(value, BaseFigure)
        else json.dumps(value, ensure_ascii=False, allow_nan=False)
    )
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _policy(scripts: Sequence[str], live: bool) -> str:
    """The Content-Security-Policy: these very scripts, and no network.

    plotly compiles the code of its WebGL pictures as it goes, which browsers call ``unsafe-eval``.
    """
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    policy = f"default-src 'none'; script-src 'unsafe-eval' {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
    return policy + "; base-uri 'none'; form-action 'none'" + ("; connect-src 'self'" if live else "")


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
