from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from greenroom.errors import InvalidInput
from greenroom.serving import serve as serve_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from greenroom.registry import Registry


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_told_to_stop_says_so_and_ends_well(
    serve: Callable[..., Any], served_registry: Registry, stop: signal.Signals
) -> None:
    server = serve(served_registry, "diabetes@production")
    server.wait_for(lambda: "diabetes@1 is live" in server.stderr.read_text())
    server.process.send_signal(stop)
    assert server.process.wait(timeout=30) == 0
    assert server.stderr.read_text().endswith("stopped\n")


def test_a_taken_port_is_refused_in_one_line(
    serve: Callable[..., Any], served_registry: Registry
) -> None:
    port = urlsplit(serve(served_registry, "diabetes@production").url).port
    command = [sys.executable, "-c", "from greenroom.cli import main; main()"]
    command += ["--registry", served_registry.location]
    command += ["serve", "diabetes@production", "--port", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        rf"greenroom: cannot listen on 127\.0\.0\.1:{port}: .+; choose another with --port\n",
        done.stderr,
    )


@pytest.mark.parametrize("target", ["diabetes", "diabetes@7"])
def test_a_server_follows_an_environment_and_nothing_else(registry: Registry, target: str) -> None:
    with pytest.raises(InvalidInput, match="a server follows an environment"):
        serve_here(registry, target)
