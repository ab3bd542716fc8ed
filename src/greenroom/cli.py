"""The command line: parse, call one function, print, map errors to exit codes."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greenroom.errors import GreenroomError, InvalidInput
from greenroom.views import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greenroom.log import Promotion
    from greenroom.registry import Registry
    from greenroom.settings import Settings

    Progress = Callable[[int, int], None]

_EXIT_CODES = """
\b
Exit codes: 0 done, 1 refused, 2 usage, 3 not found, 4 outcome unknown.
A VERSION is diabetes@7, diabetes@production, or diabetes for the newest;
greenroom.toml says what is meant when it is left out.
"""


@click.group(epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--registry", metavar="URL", help="A directory, or s3://bucket/prefix, gs://, az://."
)
@click.version_option(package_name="greenroom")
@click.pass_context
def cli(context: click.Context, registry: str | None) -> None:
    """Store a model in a bucket, test it with pytest, promote it with one atomic write."""
    context.obj = registry


_json = click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
_seconds = click.FloatRange(0.1, 86400)
_reason = click.option("--reason", help="Why; kept in the history.")


def _settings(context: click.Context) -> Settings:
    from greenroom.settings import read_settings

    return read_settings(registry=context.obj)


def _connect(settings: Settings, progress: Progress | None = None) -> Registry:
    from greenroom.settings import connect

    return connect(settings, progress)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--examples", type=click.Path(path_type=Path), help="CSV of 1 to 1,000 rows.")
@click.option("--model", help="The model's name.")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE")
@click.option("--metric", "metrics", multiple=True, metavar="NAME=NUMBER")
@click.option("--attach", "attachments", multiple=True, type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="The file it was trained on.")
@click.option("--tolerance", type=float, default=1e-5, show_default=True)
@_json
@click.pass_context
def push(context: click.Context, /, file: Path, *, as_json: bool, **options: Any) -> None:
    """Store a saved estimator (.joblib) as the model's next version."""
    from greenroom import author
    from greenroom.registry import Training

    settings = _settings(context)
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
    pushed = _connect(settings, _draw_progress).push(
        model, estimator, examples, training=training, tolerance=options["tolerance"]
    )
    news = "pushed" if pushed.is_new else "unchanged,"
    _print(pushed, f"{news} {pushed.version}", as_json=as_json)


@cli.command(name="list")
@click.argument("model", required=False)
@_json
@click.pass_context
def list_(context: click.Context, model: str | None, *, as_json: bool) -> None:
    """List a model's versions, or the models where none is named."""
    from greenroom import views

    settings = _settings(context)
    registry = _connect(settings)
    if not model and not settings.model:
        models = registry.models()
        _print(models, "\n".join(models) or "no models yet", as_json=as_json)
        return
    model = settings.named_model(model)
    found = registry.list(model)
    live = registry.live(model)
    _print({"versions": found, "live": live}, views.versions(found, live), as_json=as_json)


@cli.command()
@click.argument("version", required=False)
@_json
@click.pass_context
def show(context: click.Context, version: str | None, *, as_json: bool) -> None:
    """Show all that is known of a version."""
    from greenroom import views

    settings = _settings(context)
    registry = _connect(settings)
    found = registry.show(settings.reference(version))
    verdicts = registry.verdicts(found)
    facts = {"version": found, "verdicts": verdicts}
    _print(facts, views.version(found, verdicts), as_json=as_json)


@cli.command()
@click.argument("version", required=False)
@click.argument("tests", nargs=-1, type=click.Path(path_type=Path))
@click.option("--against", metavar="ENVIRONMENT", help="Whose live version is the champion.")
@_json
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

    settings = _settings(context)
    verdict = _connect(settings).test(
        settings.reference(version), tests or settings.tests, against or settings.environment
    )
    _print(verdict, views.verdict(verdict), as_json=as_json)
    if verdict.outcome != "passed":
        context.exit(1)


@cli.command()
@click.argument("version", required=False)
@click.option("--to", "environment", metavar="ENVIRONMENT", help="Such as production.")
@_reason
@click.option("--force", is_flag=True, help="Without a passed verdict; needs --reason.")
@_json
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
    settings = _settings(context)
    promoted = _connect(settings).promote(
        settings.reference(version), settings.known_environment(environment), **options
    )
    news = "is live" if promoted.is_new else "was live already"
    _print(promoted, _told(promoted.promotion, news), as_json=as_json)


@cli.command()
@click.argument("environment", required=False)
@_reason
@_json
@click.pass_context
def rollback(
    context: click.Context, environment: str | None, *, reason: str | None, as_json: bool
) -> None:
    """Make live again what was live before in production, or diabetes@production."""
    settings = _settings(context)
    promotion = _connect(settings).rollback(
        *settings.model_and_environment(environment), reason=reason
    )
    _print(promotion, _told(promotion, "is live again"), as_json=as_json)


@cli.command()
@click.argument("environment", required=False)
@_json
@click.pass_context
def history(context: click.Context, environment: str | None, *, as_json: bool) -> None:
    """Show who promoted what, when and why, in production or diabetes@production."""
    from greenroom import views

    settings = _settings(context)
    log = _connect(settings).history(*settings.model_and_environment(environment))
    _print(log.entries, views.history(log), as_json=as_json)


@cli.command()
@click.argument("version")
@click.argument("directory", type=click.Path(path_type=Path))
@_json
@click.pass_context
def pull(context: click.Context, version: str, directory: Path, *, as_json: bool) -> None:
    """Write a version's files into a new directory, every byte verified."""
    found = _connect(_settings(context)).pull(version, directory)
    _print(found, f"pulled {found} into {directory}", as_json=as_json)


@cli.command()
@click.argument("environment", required=False)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=5000, show_default=True)
@click.option("--poll", type=_seconds, default=5.0, show_default=True, help="Seconds between.")
@click.pass_context
def serve(
    context: click.Context, environment: str | None, *, host: str, port: int, poll: float
) -> None:
    """Answer over HTTP with what is live in an environment, and follow it."""
    import logging
    import signal

    import greenroom

    settings = _settings(context)
    target = "@".join(settings.model_and_environment(environment))
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to stop is no failure either way
    try:
        greenroom.serve(_connect(settings), target, host=host, port=port, poll_seconds=poll)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def _told(promotion: Promotion, news: str) -> str:
    version, environment = f"{promotion.model}@{promotion.version}", promotion.environment
    return f"{version} {news} in {environment} (entry {promotion.sequence}, {promotion.kind})"


def _print(facts: object, text: str, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(facts), indent=2).decode()
    click.echo("\n".join(map(printable, text.split("\n"))))


def _draw_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        width = 30 * done // max(total, 1)
        end = "\n" if done == total else ""
        click.echo(
            f"\rstoring [{'#' * width:<30}] {done} of {total} bytes{end}", err=True, nl=False
        )


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


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = cli(prog_name="greenroom", standalone_mode=False)
    except GreenroomError as error:
        code = _refuse(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        reason = error.format_message().rstrip(".")
        code = _refuse(f"{reason}; see greenroom --help", error.exit_code)
    except click.Abort:
        code = _refuse("interrupted", 130)
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(reason: str, code: int) -> int:
    click.echo(f"greenroom: {printable(reason)}", err=True)
    return code
