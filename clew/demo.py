"""clew demo: every step of the pipeline on a public data set, each only where something changed, and then serving."""

import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import msgspec
import numpy as np

from clew import pipeline, show
from clew.console_process import ConsoleProcess
from clew.serve import Serving, serve
from clew.settings import Settings, require_safe_bind
from clew.threads import environment_for_training
from domain.errors import NothingToTrain, TrainingFailed
from graph import home, offline, server
from graph.home import Connection
from ingest.sources.demos import demo_source
from recommend.recommender import Recommender
from recommend.request import RecommendRequest
from recommend.world import View

INTERRUPTED = 130  # what a shell says of a command that Ctrl-C ended
MANY_ITEMS = 25
MANY_EVENTS = 40  # the user shown has about so many: enough to know them, and not a tester of everything


@dataclass(frozen=True)
class Cast:
    """Who appears in what is printed: ids of the graph, chosen so that the answers say something."""

    user_id: str
    item_id: str
    tastes: tuple[tuple[str, str], ...]  # (entity id, name)


def run_demo(settings: Settings, name: str) -> None:
    """Prepares and serves until Ctrl-C; then stops the embedded Neo4j too.

    Raises: InvalidRequest for an unknown demo, and what the steps raise.
    """
    require_safe_bind(settings)
    started, console = time.perf_counter(), ConsoleProcess(settings)
    try:
        connection = prepare(settings, name)
        show.notes.print(f"prepared in {time.perf_counter() - started:.1f} s\n")
        console.start()
        serve(settings, show.TerminalProgress(), lambda serving: _welcome(connection, serving, settings, console))
    except KeyboardInterrupt:  # while preparing: the server ends by itself
        show.notes.print("stopped; `clew demo` goes on from here")
        sys.exit(INTERRUPTED)
    finally:
        console.stop()
        if not settings.neo4j_uri and server.down(settings.server_config):
            show.notes.print("Neo4j is stopped")


def prepare(settings: Settings, name: str) -> Connection:
    """Fetch, load, train: what has been done and has not changed is not done again."""
    progress = show.TerminalProgress()
    source, path, licence = demo_source(name, settings.cache_dir, progress)
    show.notes.print(f"[dim]{show.plain(licence)}[/dim]\n")
    connection = _loaded(settings, name, lambda: pipeline.load_source(settings, source, path, progress))
    if pipeline.is_trained(settings, pipeline.snapshot(settings, progress)):
        show.notes.print("  the model is trained already")
    else:
        _train_apart()
    return connection


def _loaded(settings: Settings, name: str, load: Callable[[], object]) -> Connection:
    """The graph, running and with the demo in it."""
    progress = show.TerminalProgress()
    if not _fresh(settings):
        connection = pipeline.start_graph(settings, progress)
        if pipeline.demo_is_loaded(settings, name):
            show.notes.print("  the data is loaded already")
            return connection
    load()
    pipeline.note_demo(settings, name)
    return pipeline.start_graph(settings, progress)


def _fresh(settings: Settings) -> bool:
    """Whether the embedded server has never run, or a first load was broken off: the load brings it up by itself."""
    config = settings.server_config
    return not settings.neo4j_uri and (offline.import_incomplete(config) or not home.started_before(config))


def _train_apart() -> None:
    """Trains in a process of its own: its memory is free again before serving, where torch is never imported."""
    code = subprocess.call([sys.executable, "-m", "clew", "train"], env=environment_for_training())
    if code != 0:
        raise TrainingFailed("training did not end well; see above, and run the same command again")


def _welcome(connection: Connection, serving: Serving, settings: Settings, console: ConsoleProcess) -> None:
    """What to try, with ids and names that are in the graph."""
    recommender = serving.wired.services.recommender
    found = choose_cast(recommender)
    url, tastes = serving.url, " and ".join(name for _, name in found.tastes)
    stated = {"preferences": [{"entity_id": entity_id} for entity_id, _ in found.tastes], "n": 5}
    show.out.print(f"[bold]Clew answers at {url}[/bold]. Try, in another terminal:\n")
    _try("a recommendation, every item with its reason", _post(f"{url}/recommend", {"user_id": found.user_id, "n": 5}))
    explained = f"{url}/v1/users/{quote(found.user_id, safe='')}/items/{quote(found.item_id, safe='')}/explanation"
    _try("why the first one: the score split exactly, with its paths", f"curl -s {explained}")
    _try(f"a stranger who likes {tastes}", _post(f"{url}/v1/recommendations", stated))
    asked = quote(found.user_id, safe="")
    console.wait()
    page = console.problem or f"{settings.console_url}/?user={asked}"
    show.out.print(f"console        {show.plain(page)}")
    show.out.print(f"documentation  {url}/docs")
    if connection.browser:
        show.out.print(f"Neo4j Browser  {connection.browser}")
        show.out.print(f"               user {connection.username}, password in {connection.password_file}")
    else:
        show.out.print(f"Neo4j          {connection.uri} as {connection.username}")
    show.out.print("\nCtrl-C stops everything.")


def _try(what: str, command: str) -> None:
    show.out.print(f"[dim]# {show.plain(what)}[/dim]")
    show.out.print(show.plain(command) + "\n")


def _post(url: str, body: object) -> str:
    sent = shlex.quote(msgspec.json.encode(body).decode())
    return f"curl -s {url} -H 'Content-Type: application/json' -d {sent}"


def choose_cast(recommender: Recommender) -> Cast:
    """Who is shown: a user with about 40 events, their first item, and two tastes."""
    view = recommender.world.view()
    user_id = _user(view)
    items = recommender.recommend(RecommendRequest(user_id=user_id, n=1, reasons=False)).items
    return Cast(user_id, items[0].item_id if items else _first(view.catalogue.item_ids.tolist()), _tastes(view))


def _user(view: View) -> str:
    counts = np.bincount(view.snapshot.interactions.user_rows, minlength=len(view.snapshot.user_ids))
    return _first(view.snapshot.user_ids[np.argsort(np.abs(counts - MANY_EVENTS), kind="stable")[:1]].tolist())


def _tastes(view: View) -> tuple[tuple[str, str], ...]:
    """Two named entities with about 25 items each, of a type that items have several of: genres rather than years."""
    catalogue = view.catalogue
    named: dict[str, list[tuple[int, str, str]]] = {}
    for entity_id, row in catalogue.entity_rows.items():
        name, degree = catalogue.entity_names[row], catalogue.degree(row)
        if name and degree and not catalogue.is_sensitive(row):
            named.setdefault(catalogue.label(row), []).append((degree, entity_id, name))

    def telling(entities: list[tuple[int, str, str]]) -> tuple[bool, int]:
        several = sum(degree for degree, _, _ in entities) > 1.2 * len(catalogue)
        return several, sum(1 for degree, _, _ in entities if 10 <= degree <= len(catalogue) / 5)

    known = max(named.values(), key=telling, default=[])
    near = sorted(known, key=lambda entity: (abs(entity[0] - MANY_ITEMS), entity[1]))
    return tuple((entity_id, name) for _, entity_id, name in near[:2])


def _first(ids: list[str]) -> str:
    if not ids:
        raise NothingToTrain("the data set has no users and items to show")
    return ids[0]
