"""clew ingest, train, events: what goes into the graph, and the model made of it."""

import time
from pathlib import Path
from typing import Annotated

import typer

from clew import pipeline, show
from clew.commands_graph import Json
from clew.settings import load_settings
from clew.wiring import log_file
from ingest.log import Log

events = typer.Typer(help="Events that were posted.", no_args_is_help=True)


def ingest(
    source: Annotated[str, typer.Argument(help="recbole, movielens, retail, or table with a mapping file.")],
    path: Annotated[Path | None, typer.Argument(help="The folder, or for table the mapping file.")] = None,
    json: Json = False,
) -> None:
    """Load a data set into the graph. Twice equals once; bad rows are counted and listed in a file, the rest loads."""
    settings = load_settings()
    loaded = pipeline.load_source(settings, source, path, show.TerminalProgress())
    if json:
        rejected_file = None if loaded.rejected_file is None else str(loaded.rejected_file)
        counts = {"source": loaded.source, **loaded.counts, "seconds": loaded.seconds}
        show.as_json({**counts, "rejected": loaded.rejected, "rejected_file": rejected_file})
        return
    counts = ", ".join(f"{count:,} {name}" for name, count in loaded.counts.items())
    show.out.print(f"{loaded.source}: {counts} in {loaded.seconds:.1f} s")
    if loaded.rejected:
        show.out.print(f"{loaded.rejected:,} rows were left out; {loaded.rejected_file} says why")
    show.hint("next: `clew train`")


def train(
    seed: Annotated[int, typer.Option(help="Equal seeds and data give equal models.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Publish it even when it is worse.")] = False,
    tune: Annotated[
        bool, typer.Option("--tune", help="Search the settings; without, the saved ones are used.")
    ] = False,
    budget_s: Annotated[float | None, typer.Option(min=1, help="With --tune: seconds for all of it [300].")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="With --tune: exactly so many settings.")] = None,
    json: Json = False,
) -> None:
    """Train a model of the graph, write its vectors into Neo4j and have it serve. Running servers take it up."""
    if not tune and (budget_s is not None or trials is not None):
        raise typer.BadParameter("--budget-s and --trials belong to --tune")
    settings, progress = load_settings(), show.TerminalProgress()
    started = time.perf_counter()
    columns = pipeline.snapshot(settings, progress)
    trained = pipeline.train(
        settings, columns, progress, seed=seed, force=force, tune=tune, budget_s=budget_s, trials=trials
    )
    pipeline.publish(settings, trained.version, progress)
    seconds = time.perf_counter() - started
    if json:
        show.as_json({"version": trained.version, "metrics": trained.metrics, "seconds": seconds})
        return
    figures = "  ".join(f"{name} {value:.4f}" for name, value in trained.metrics.items())
    show.out.print(f"the model {trained.version} serves, after {seconds:.1f} s")
    show.out.print(figures)
    show.hint("next: `clew serve`, or `clew recommend USER`")


@events.command()
def dead(
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1, max=100_000)] = 20,
    json: Json = False,
) -> None:
    """List events that were rejected, and why."""
    with Log(log_file(load_settings())) as log:
        letters = log.dead(limit)
    if json:
        show.as_json(letters)
        return
    if not letters:
        show.out.print("no event was rejected")
        return
    rows = [(str(letter.number), letter.code, letter.message, str(letter.payload)) for letter in letters]
    show.table("rejected events, newest first", ("number", "code", "why", "event"), rows)
    show.hint("next: mend them and post them again")
