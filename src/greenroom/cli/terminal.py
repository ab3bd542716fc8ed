"""What commands share: their common options, the registry they work on, and how they print."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from greenroom.views import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.registry import Registry
    from greenroom.settings import Settings

    Progress = Callable[[int, int], None]

as_json = click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
reason = click.option("--reason", help="Why; kept in the history.")


def settings_of(context: click.Context) -> Settings:
    """Read the settings, with the registry that the command line names."""
    from greenroom.settings import read_settings

    return read_settings(registry=context.obj)


def connect(settings: Settings, progress: Progress | None = None) -> Registry:
    """Open the registry that the settings name."""
    from greenroom import settings as project

    return project.connect(settings, progress)


def show(facts: object, text: str, *, as_json: bool) -> None:
    """Print facts: as JSON for programs, as text for people."""
    if as_json:
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(facts), indent=2).decode()
    click.echo("\n".join(map(printable, text.split("\n"))))


def draw_progress(done: int, total: int) -> None:
    """Draw how many bytes are stored, where a person looks on."""
    if sys.stderr.isatty():
        width = 30 * done // max(total, 1)
        end = "\n" if done == total else ""
        click.echo(
            f"\rstoring [{'#' * width:<30}] {done} of {total} bytes{end}", err=True, nl=False
        )


def refuse(reason: str, code: int) -> int:
    """Print why a command was refused, in one line, and return its exit code."""
    click.echo(f"greenroom: {printable(reason)}", err=True)
    return code
