"""`catalog serve`."""

import ipaddress
import logging
from pathlib import Path

import click

from catalog.entrypoints.server import Preparation, nothing, run
from catalog.entrypoints.settings import Settings

from .options import Failure, failures, settings_from, settings_options

allow_remote_option = click.option(
    "--allow-remote",
    is_flag=True,
    default=None,
    help="Listen on an address that other machines reach, although anybody there may change everything.",
)


@click.command()
@settings_options("storage", "host", "port")
@allow_remote_option
def serve(
    config: Path | None, storage: str | None, host: str | None, port: str | None, *, allow_remote: bool | None
) -> None:
    """Serve the catalogue over HTTP."""
    serve_with(settings_from(config, storage=storage, host=host, port=port, allow_remote=allow_remote))


def serve_with(settings: Settings, prepare: Preparation = nothing, alongside: Preparation | None = None) -> None:
    """Serve until a signal says stop, or end the command with what stands against it."""
    if not settings.allow_remote and not _is_loopback(settings.host):
        raise Failure(
            f"{settings.host} can be reached from other machines, and the service has no access control yet: "
            "anybody there could change everything. If that is what you want, add --allow-remote."
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for talkative in ("alembic", "httpx"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    with failures():
        try:
            run(settings, prepare, alongside)
        except OSError as error:
            raise Failure(
                f"can not listen on {settings.host} port {settings.port}: {error.strerror or error}; "
                "choose another with --port, or 0 for a free one"
            ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
