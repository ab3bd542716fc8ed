"""The command line: parse, call one function, print, map errors to exit codes."""

from __future__ import annotations

import sys

import click

from greenroom.cli import daily
from greenroom.cli.terminal import refuse
from greenroom.errors import GreenroomError

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


for command in daily.COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = cli(prog_name="greenroom", standalone_mode=False)
    except GreenroomError as error:
        code = refuse(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        reason = error.format_message().rstrip(".")
        code = refuse(f"{reason}; see greenroom --help", error.exit_code)
    except click.Abort:
        code = refuse("interrupted", 130)
    sys.exit(code if isinstance(code, int) else 0)
