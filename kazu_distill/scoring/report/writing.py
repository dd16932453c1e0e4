"""Pages that need no network, and in which no text of a document or class can become markup."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from kazu_distill.document_files import atomic_writer
from kazu_distill.scoring.report.browser_data import embedded_json
from kazu_distill.scoring.wording import count, percent, percent_range, points, points_range, quantity


def write_page(path: Path, template: str, values: Mapping[str, Any], *, data: Any = None) -> None:
    """Write a page; it appears whole or not at all.

    Args:
        path: of the page.
        template: its template, which fills ``layout.html``.
        values: what the template shows, among them ``title``.
        data: what the script of the list of mistakes reads; without it the page has no script.
    """
    style, script = _part("page.css"), "" if data is None else _part("page.js")
    page = (
        _environment()
        .get_template(template)
        .render(
            **values,
            data=None if data is None else Markup(embedded_json(data)),
            # The rules on content name the page's one style and one script, so that nothing text smuggles in runs.
            style=Markup(style),
            style_hash=_hash(style),
            script=Markup(script),
            script_hash=_hash(script) if script else "none",
        )
    )
    with atomic_writer(path) as file:
        # A class or an id may hold half of a surrogate pair, which UTF-8 cannot write.
        file.write(page.encode("utf-8", errors="replace"))


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "percent": percent,
        "range": percent_range,
        "points": points,
        "points_range": points_range,
        "number": count,
        "quantity": quantity,
    }
    return environment


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline element."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
