"""The daily commands: push, list, show, test, promote, rollback, history, pull, serve."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greenroom.cli.terminal import as_json, connect, draw_progress, reason, settings_of, show
from greenroom.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greenroom.log import Promotion

_SECONDS = click.FloatRange(0.1, 86400)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--examples", type=click.Path(path_type=Path), help="CSV of 1 to 1,000 rows.")
@click.option("--model", help="The model's name.")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE")
@click.option("--metric", "metrics", multiple=True, metavar="NAME=NUMBER")
@click.option("--attach", "attachments", multiple=True, type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="The file it was trained on.")
@click.option("--tolerance", type=float, default=1e-5, show_default=True)
@as_json
@click.pass_context
def push(context: click.Context, /, file: Path, *, as_json: bool, **options: Any) -> None:
    """Store a saved estimator (.joblib) as the model's next version."""
    from greenroom import author
    from greenroom.registry import Training

    settings = settings_of(context)
    model = settings.named_model(options["model"])
    training = Training(
        parameters=dict(map(_pair, options["parameters"])),
        metrics={name: _number(value) for name, value in map(_pair, options["metrics"])},
        attachments=options["attachments"],
        data=options["data"],
    )
    estimator = author.read_estimator(file)
    path = options["examples"] or settings.examples
    examples = author.read_examples(path) if path else None
    pushed = connect(settings, draw_progress).push(
        model, estimator, examples, training=training, tolerance=options["tolerance"]
    )
    news = "pushed" if pushed.is_new else "unchanged,"
    show(pushed, f"{news} {pushed.version}", as_json=as_json)


@click.command(name="list")
@click.argument("model", required=False)
@as_json
@click.pass_context
def list_(context: click.Context, model: str | None, *, as_json: bool) -> None:
    """List a model's versions, or the models where none is named."""
    from greenroom import views

    settings = settings_of(context)
    registry = connect(settings)
    if not model and not settings.model:
        models = registry.models()
        show(models, "\n".join(models) or "no models yet", as_json=as_json)
        return
    model = settings.named_model(model)
    found = registry.list(model)
    live = registry.live(model)
    show({"versions": found, "live": live}, views.versions(found, live), as_json=as_json)


@click.command(name="show")
@click.argument("version", required=False)
@as_json
@click.pass_context
def show_(context: click.Context, version: str | None, *, as_json: bool) -> None:
    """Show all that is known of a version."""
    from greenroom import views

    settings = settings_of(context)
    registry = connect(settings)
    found = registry.show(settings.reference(version))
    verdicts = registry.verdicts(found)
    facts = {"version": found, "verdicts": verdicts}
    show(facts, views.version(found, verdicts), as_json=as_json)


@click.command()
@click.argument("version", required=False)
@click.argument("tests", nargs=-1, type=click.Path(path_type=Path))
@click.option("--against", metavar="ENVIRONMENT", help="Whose live version is the champion.")
@as_json
@click.pass_context
def test(
    context: click.Context,
    version: str | None,
    tests: Sequence[Path],
    *,
    against: str | None,
    as_json: bool,
) -> None:
    """Run the model's pytest tests on a version and record the verdict."""
    from greenroom import views

    settings = settings_of(context)
    verdict = connect(settings).test(
        settings.reference(version), tests or settings.tests, against or settings.environment
    )
    show(verdict, views.verdict(verdict), as_json=as_json)
    if verdict.outcome != "passed":
        context.exit(1)


@click.command()
@click.argument("version", required=False)
@click.option("--to", "environment", metavar="ENVIRONMENT", help="Such as production.")
@reason
@click.option("--force", is_flag=True, help="Without a passed verdict; needs --reason.")
@as_json
@click.pass_context
def promote(
    context: click.Context,
    /,
    version: str | None,
    environment: str | None,
    *,
    as_json: bool,
    **options: Any,  # click's options
) -> None:
    """Make a version live in an environment, if its tests passed."""
    settings = settings_of(context)
    promoted = connect(settings).promote(
        settings.reference(version), settings.known_environment(environment), **options
    )
    news = "is live" if promoted.is_new else "was live already"
    show(promoted, _told(promoted.promotion, news), as_json=as_json)


@click.command()
@click.argument("environment", required=False)
@reason
@as_json
@click.pass_context
def rollback(
    context: click.Context, environment: str | None, *, reason: str | None, as_json: bool
) -> None:
    """Make live again what was live before in production, or diabetes@production."""
    settings = settings_of(context)
    promotion = connect(settings).rollback(
        *settings.model_and_environment(environment), reason=reason
    )
    show(promotion, _told(promotion, "is live again"), as_json=as_json)


@click.command()
@click.argument("environment", required=False)
@as_json
@click.pass_context
def history(context: click.Context, environment: str | None, *, as_json: bool) -> None:
    """Show who promoted what, when and why, in production or diabetes@production."""
    from greenroom import views

    settings = settings_of(context)
    log = connect(settings).history(*settings.model_and_environment(environment))
    show(log.entries, views.history(log), as_json=as_json)


@click.command()
@click.argument("version")
@click.argument("directory", type=click.Path(path_type=Path))
@as_json
@click.pass_context
def pull(context: click.Context, version: str, directory: Path, *, as_json: bool) -> None:
    """Write a version's files into a new directory, every byte verified."""
    found = connect(settings_of(context)).pull(version, directory)
    show(found, f"pulled {found} into {directory}", as_json=as_json)


@click.command()
@click.argument("environment", required=False)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=5000, show_default=True)
@click.option("--poll", type=_SECONDS, default=5.0, show_default=True, help="Seconds between.")
@click.pass_context
def serve(
    context: click.Context, environment: str | None, *, host: str, port: int, poll: float
) -> None:
    """Answer over HTTP with what is live in an environment, and follow it."""
    import logging
    import signal

    import greenroom

    settings = settings_of(context)
    target = "@".join(settings.model_and_environment(environment))
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to stop is no failure either way
    try:
        greenroom.serve(connect(settings), target, host=host, port=port, poll_seconds=poll)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def _told(promotion: Promotion, news: str) -> str:
    version, environment = f"{promotion.model}@{promotion.version}", promotion.environment
    return f"{version} {news} in {environment} (entry {promotion.sequence}, {promotion.kind})"


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InvalidInput(f"{text!r} is not NAME=VALUE")
    return name, value


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"{text!r} is not a finite number; a metric is NAME=NUMBER")
    return number


COMMANDS = (push, list_, show_, test, promote, rollback, history, pull, serve)
