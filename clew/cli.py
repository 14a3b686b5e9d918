"""The command line. Exit code 0: done. 1: an error, said in one line on standard error. 2: wrong usage."""

import sys

import typer

from clew import threads
from clew.commands_ask import recommend, similar
from clew.commands_backup import export, restore
from clew.commands_bench import bench
from clew.commands_console import console
from clew.commands_data import ingest, snapshot, train
from clew.commands_events import events
from clew.commands_explain import explain
from clew.commands_explore import graph
from clew.commands_graph import doctor, down, status, up
from clew.commands_kafka import kafka
from clew.commands_models import app as models
from clew.commands_models import rollback
from clew.commands_profile import profile
from clew.commands_rules import rules
from clew.commands_serve import demo, keys, serve, writer
from clew.commands_user import user
from clew.commands_why import ledger, why_not
from domain.errors import ClewError

_ = threads  # imported for what it does, and first

app = typer.Typer(
    name="clew",
    help="Recommendations whose every reason is a path in a graph. Begin with `clew demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    demo,
    up,
    down,
    status,
    doctor,
    ingest,
    train,
    rollback,
    serve,
    writer,
    console,
    recommend,
    explain,
    why_not,
    similar,
    profile,
    export,
    restore,
):
    app.command()(command)
app.command(hidden=True)(snapshot)
app.add_typer(bench, name="bench")
app.add_typer(events, name="events")
app.add_typer(graph, name="graph")
app.add_typer(kafka, name="kafka")
app.add_typer(keys, name="keys")
app.add_typer(ledger, name="ledger")
app.add_typer(models, name="models")
app.add_typer(rules, name="rules")
app.add_typer(user, name="user")


def main() -> None:
    """What the `clew` program runs."""
    try:
        app()
    except ClewError as error:
        sys.stderr.write(f"clew: {error.code}: {error.message}\n")
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output has had enough
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
