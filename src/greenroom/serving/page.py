"""The plain page at `/`: which model and version answers, and a form to try it."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greenroom.serving.live import Live, Served


def render(live: Live) -> bytes:
    """Return the page as UTF-8 HTML, with the first example in the form."""
    served = live.served
    template = Template((files("greenroom.serving") / "page.html").read_text("utf-8"))
    title = str(served.version) if served else live.model
    subtitle = _subtitle(served) if served else f"Not ready: {live.failure}"
    return template.substitute(
        title=escape(title), subtitle=escape(subtitle), fields=_inputs(served) if served else ""
    ).encode()


def _subtitle(served: Served) -> str:
    promotion = served.promotion
    return f"Live in {promotion.environment} since {promotion.at}."


def _inputs(served: Served) -> str:
    columns = served.predictor.schema.columns
    fields = zip(columns, served.example, strict=True)
    return "".join(
        f'<label>{escape(name)}<input type="number" step="any" required '
        f'name="{escape(name)}" value="{value!r}"></label>'
        for name, value in fields
    )
