"""clew demo, serve, writer, keys: from data to answers over HTTP."""

import logging
import os
import socket
import threading
from typing import Annotated

import typer

from api.keys import SCOPES, new_key
from clew import show
from clew.demo import run_demo
from clew.erasing import recall_erasures
from clew.farewell import Farewell
from clew.lease import held
from clew.serve import Serving
from clew.serve import serve as run_server
from clew.settings import Settings, load_settings
from clew.signals import stop_on_signals
from clew.wiring import Graph, open_log, open_shared, sharing
from clew.writer import drain

PARENT_POLL_S = 1.0
keys = typer.Typer(help="Keys for the API.", no_args_is_help=True)


def demo(
    name: Annotated[str, typer.Argument(help="movies (MovieLens 100K) or retail (grocery purchases).")] = "movies",
) -> None:
    """Fetch a data set, load it, train, and serve it on this machine until Ctrl-C. What is done already is skipped."""
    _log_to_stderr(logging.WARNING)
    run_demo(load_settings(), name)


def serve(
    writer: Annotated[bool, typer.Option(help="Run the writer to Neo4j beside the API.")] = True,
) -> None:
    """Serve the API until Ctrl-C. Needs a model for good lists; works, with less to say, without one or Neo4j."""
    _log_to_stderr(logging.INFO)
    run_server(load_settings(), show.TerminalProgress(), _announce, with_writer=writer)


def writer(
    wait: Annotated[bool, typer.Option("--wait", help="Stand by while another writer runs.")] = False,
    parent: Annotated[int | None, typer.Option(hidden=True, help="End when this process does.")] = None,
) -> None:
    """Drain the log into Neo4j until Ctrl-C. `clew serve` runs one by itself."""
    _log_to_stderr(logging.INFO)
    settings, stop = load_settings(), threading.Event()
    stop_on_signals(stop)
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent, stop), daemon=True).start()
    with held(settings.writer_lock, wait=wait, stopping=stop.is_set) as mine:
        if mine:
            _drain(settings, stop)


@keys.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Letters, digits, _ and -: whose key it is.")],
    scope: Annotated[str, typer.Option(help=f"One of {', '.join(SCOPES)}.")] = "read",
) -> None:
    """Make a key. It is shown once; the settings hold its hash only."""
    settings = load_settings()
    key, known = new_key(name, scope)
    entries = ",".join([*(entry.as_setting() for entry in settings.keys if entry.name != name), known.as_setting()])
    show.out.print(f"key (shown once):  {key}")
    show.out.print(f"setting:           CLEW_API_KEYS={entries}")
    show.hint("next: put the setting into .env, restart `clew serve`, and send the key in X-API-Key")


def _drain(settings: Settings, stop: threading.Event) -> None:
    graph = Graph(settings)
    try:
        with open_log(settings) as log, open_shared(settings, log) as shared, sharing(settings, log, stop):
            recall_erasures(settings, log)
            drain(
                log,
                graph,
                stop,
                holder=f"{socket.gethostname()}:{settings.home.resolve()}",
                drained=Farewell(settings, log, shared.look if shared else None),
            )
    finally:
        graph.close()


def _end_with(parent: int, stop: threading.Event) -> None:
    """Sets `stop` when the parent process is gone: this one then belongs to somebody else."""
    while not stop.wait(PARENT_POLL_S):
        if os.getppid() != parent:
            stop.set()


def _announce(serving: Serving) -> None:
    version = serving.wired.services.world.model_version
    for damaged in serving.wired.damaged:
        show.notes.print(show.plain(damaged.message))
    show.out.print(f"Clew answers at {serving.url}  (documentation: {serving.url}/docs)")
    show.hint(f"model {version}" if version else "no model yet: `clew train` makes one, and this server takes it up")


def _log_to_stderr(level: int) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("clew").setLevel(level)
