"""The HTTP server: it follows an environment and answers with the version that is live there."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from greenroom.errors import InvalidInput
from greenroom.names import parse_reference

if TYPE_CHECKING:
    from greenroom.catalog import Catalog

_LOGGER = logging.getLogger("greenroom")
_MOST_SECONDS_TO_STOP = 5  # half of what `docker stop` allows


def serve(
    catalog: Catalog,
    environment: str,
    *,
    host: str = "127.0.0.1",
    port: int = 5000,
    poll_seconds: float = 5.0,
) -> None:
    """Answer requests until SIGINT or SIGTERM with what is live in `diabetes@production`.

    The environment's log is read every `poll_seconds`; a newer promotion is swapped in between
    two requests. Raises InvalidInput for a version's number, or an address that is taken.
    """
    import uvicorn

    from greenroom.serving.app import App
    from greenroom.serving.live import Live

    reference = parse_reference(environment)
    if reference.environment is None:
        raise InvalidInput(f"{environment} cannot be served: a server follows an environment")
    app = App(Live(catalog, reference.model, reference.environment), poll_seconds)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_MOST_SECONDS_TO_STOP,
    )
    with _listen(host, port) as listener:
        port = listener.getsockname()[1]
        _LOGGER.info("serving %s on http://%s:%s (Ctrl-C stops it)", environment, host, port)
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        why = f"{error.strerror}; choose another with --port"
        raise InvalidInput(f"cannot listen on {host}:{port}: {why}") from error
