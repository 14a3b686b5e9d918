"""clew kafka up, down, status: a Kafka broker on this machine, for developers."""

import typer

from broker import server
from clew import show
from clew.commands_graph import Json
from clew.settings import load_settings

TOPIC = "clew"
kafka = typer.Typer(help="A Kafka broker on this machine, for developers.", no_args_is_help=True)


@kafka.command()
def up(json: Json = False) -> None:
    """Start the broker (the first time it is fetched: about 45 MB), or use the running one."""
    seen = server.up(load_settings().broker_config, show.TerminalProgress())
    if json:
        show.as_json(seen)
        return
    show.out.print(f"Kafka answers at {seen.address}")
    show.hint(f"next: CLEW_EVENTS=kafka://{seen.address}/{TOPIC} clew serve; `clew kafka down` stops it")


@kafka.command()
def down() -> None:
    """Stop the broker. Its records stay."""
    stopped = server.down(load_settings().broker_config)
    show.out.print("Kafka is stopped" if stopped else "no Kafka was running")
    show.hint("next: `clew kafka up` starts it again, with its records")


@kafka.command()
def status(json: Json = False) -> None:
    """Whether the broker runs, and where."""
    seen = server.status(load_settings().broker_config)
    if json:
        show.as_json(seen)
        return
    show.out.print(f"Kafka {'runs at' if seen.running else 'is stopped; it would run at'} {seen.address}")
    if not seen.running:
        show.hint("next: `clew kafka up`")
