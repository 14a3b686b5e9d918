"""clew console: the merchandiser's page, a server of its own beside the API."""

import threading
from importlib.util import find_spec
from typing import Annotated

import typer

from clew import show
from clew.ports import require_free
from clew.settings import load_settings
from clew.signals import end_with
from domain.errors import MissingExtra


def console(
    parent: Annotated[int | None, typer.Option(hidden=True, help="End when this process does.")] = None,
) -> None:
    """Serve the console until Ctrl-C: a page to look at lists, reasons, rules and the catalogue. This machine only."""
    settings = load_settings()
    if not find_spec("nicegui"):
        raise MissingExtra("the console needs more packages: pip install 'clew[console]'")
    require_free(settings.console_port, "CLEW_CONSOLE_PORT")
    from console.app import ConsoleConfig, run  # brings a web framework that no other command needs

    if parent is not None:
        threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    key = settings.console_key.get_secret_value() or None
    show.out.print(f"the console is at {settings.console_url}")
    show.hint(f"it asks the API at {settings.console_api or settings.api_url}; Ctrl-C stops it")
    run(ConsoleConfig(settings.console_port, settings.console_api or settings.api_url, key))
