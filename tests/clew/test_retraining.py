"""Models after the first: held back, rolled back, trained apart; and data that comes while one serves."""

import threading
from collections.abc import Iterator

import pytest

from clew import models, pipeline
from clew.refresh import Refresher
from clew.settings import Settings
from clew.watch import train_apart
from clew.wiring import connection_of, open_store, wire
from domain.progress import Silent
from domain.records import Event
from embeddings.artifact import current_version
from graph.server import Connection, ServerConfig
from tests.clew.processes import environment_of, loaded
from tests.recommend.test_reload import grown
from tests.servers import ask
from tests.world import world_dataset

QUIET = Silent()


@pytest.fixture(scope="module")
def settings(server: tuple[ServerConfig, Connection], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with loaded(tmp_path_factory.mktemp("retraining") / "home", world_dataset(), server[1]) as made:
        yield made


def test_a_worse_model_is_kept_and_a_rollback_rewrites_neo4j(settings: Settings) -> None:
    """Two published models; back to the first; the second is held back, and can be taken again."""
    pipeline.load_dataset(settings, world_dataset(), QUIET)
    columns = pipeline.snapshot(settings, QUIET)
    first, second = (pipeline.train(settings, columns, QUIET, seed=seed, force=True).version for seed in (1, 2))
    for version in (first, second):
        pipeline.publish(settings, version, QUIET)
    assert pipeline.is_trained_on(settings, columns)
    assert models.earlier(settings.models_dir, None) == first
    assert pipeline.roll_back(settings, first, QUIET) == [second]
    assert current_version(settings.models_dir) == first
    assert models.held(settings.models_dir) == second
    versions = "MATCH (n) WHERE n.embedding IS NOT NULL RETURN DISTINCT n.embedding_version AS version"
    assert ask(connection_of(settings), versions) == [{"version": first}]
    pipeline.publish(settings, second, QUIET)
    assert models.held(settings.models_dir) is None
    assert ask(connection_of(settings), versions) == [{"version": second}]


def test_a_bulk_load_shows_in_a_running_server_whose_model_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And at a start, when the load came while nothing served."""
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    pipeline.load_dataset(settings, world_dataset(), QUIET)
    version = pipeline.train(settings, pipeline.snapshot(settings, QUIET), QUIET, force=True).version
    pipeline.publish(settings, version, QUIET)
    with wire(settings, QUIET) as wired:
        refresher, world = Refresher(settings, wired), wired.services.world
        assert not refresher.look()
        pipeline.load_dataset(settings, grown(world_dataset()), QUIET)
        assert refresher.look()
        view = world.view()
        assert (view.model_version, view.catalogue.item_names[-1]) == (version, "A New Film")
        assert view.user("aaron") is not None
        assert not refresher.look()
    with wire(settings, QUIET) as wired:
        assert "aaa" not in wired.services.world.view().catalogue.item_rows
        assert Refresher(settings, wired).look()
        assert "aaa" in wired.services.world.view().catalogue.item_rows


def test_a_training_apart_publishes_once_and_then_finds_nothing_new(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `clew train --watch` runs: a process of its own, which changes nothing where nothing has come."""
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    pipeline.load_dataset(settings, world_dataset(), QUIET)
    with open_store(settings) as store:
        newest = store.writer_offset()
        event = Event(event_id=f"apart{newest}", user_id="ann", item_id="blade", kind="view", at=1_600_000_000_000)
        store.apply([(newest + 1, event)])
    before = models.newest(settings.models_dir)
    assert train_apart(["--force"], threading.Event()) == 0
    made = models.newest(settings.models_dir)
    assert made is not None
    assert made != before
    assert current_version(settings.models_dir) == made.version
    assert made.log_offset == newest + 1
    assert train_apart(["--force"], threading.Event()) == 0
    assert models.newest(settings.models_dir) == made


def test_a_training_apart_ends_when_it_is_told_to(settings: Settings) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    assert train_apart([], stop) != 0
