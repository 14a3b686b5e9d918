"""clew ingest, train: what goes into the graph, and the model made of it."""

import logging
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from clew import pipeline, show
from clew import watch as watching
from clew.commands_graph import Json
from clew.settings import Settings, load_settings
from clew.signals import stop_on_signals
from clew.wiring import open_log


def ingest(
    source: Annotated[str, typer.Argument(help="recbole, movielens, retail, rdf, or table with a mapping file.")],
    path: Annotated[
        Path | None, typer.Argument(help="The folder; for rdf the file, for table the mapping file.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="For rdf: its mapping file [the file's name with .toml].")
    ] = None,
    json: Json = False,
) -> None:
    """Load a data set into the graph. Twice equals once; bad rows are counted and listed in a file, the rest loads."""
    settings = load_settings()
    loaded = pipeline.load_source(settings, source, path, show.TerminalProgress(), mapping=mapping)
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
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and train whenever it is due.")] = False,
    every: Annotated[str | None, typer.Option(help="With --watch: 30m, 1h (without either option), 1d.")] = None,
    after_events: Annotated[
        int | None, typer.Option(min=1, help="With --watch: when the log has so many new records.")
    ] = None,
    unless_trained: Annotated[bool, typer.Option("--unless-trained", hidden=True)] = False,
    json: Json = False,
) -> None:
    """Train a model of the graph, write its vectors into Neo4j and have it serve. Running servers take it up."""
    if not tune and (budget_s is not None or trials is not None):
        raise typer.BadParameter("--budget-s and --trials belong to --tune")
    if not watch and (every is not None or after_events is not None):
        raise typer.BadParameter("--every and --after-events belong to --watch")
    settings, progress = load_settings(), show.TerminalProgress()
    if watch:
        if tune or json:
            raise typer.BadParameter("--watch trains with the saved settings and prints text: no --tune, no --json")
        _watch(settings, every, after_events, seed=seed, force=force)
        return
    started = time.perf_counter()
    columns = pipeline.snapshot(settings, progress)
    if unless_trained and pipeline.is_trained_on(settings, columns):
        show.out.print("nothing has come since the last training")
        return
    trained = pipeline.train(
        settings, columns, progress, seed=seed, force=force, tune=tune, budget_s=budget_s, trials=trials
    )
    pipeline.publish(settings, trained.version, progress)
    seconds = time.perf_counter() - started
    if json:
        found = {"version": trained.version, "metrics": trained.metrics, "seconds": seconds}
        show.as_json({**found, "comparison": trained.comparison})
        return
    figures = "  ".join(f"{name} {value:.4g}" for name, value in trained.metrics.items())
    show.out.print(f"the model {trained.version} serves, after {seconds:.1f} s")
    show.out.print(figures)
    show.out.print(show.plain(trained.comparison.text))
    show.hint("next: `clew serve`, or `clew recommend USER`")


def snapshot() -> None:
    """Take a snapshot of the graph, from which servers and training read."""
    pipeline.snapshot(load_settings(), show.QuietProgress())


def _watch(settings: Settings, every: str | None, after_events: int | None, *, seed: int, force: bool) -> None:
    """Trains until Ctrl-C."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    every = every or (None if after_events else "1h")
    when = watching.When(None if every is None else watching.seconds_of(every), after_events)
    arguments = ["--seed", str(seed), *(["--force"] if force else [])]
    stop = threading.Event()
    stop_on_signals(stop)
    show.hint("training whenever it is due; Ctrl-C ends it, and the model that serves stays")
    with open_log(settings) as log:
        watching.watch(settings.models_dir, log.last_offset, when, stop, lambda: watching.train_apart(arguments, stop))
