"""The steps on a small world and a Neo4j of their own: each does its work once, and not again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clew import models, pipeline
from clew.refresh import Refresher
from clew.settings import Settings, environment_name
from clew.wiring import open_store, wire
from domain.progress import Silent
from embeddings.artifact import current_version
from graph import server
from recommend.request import RecommendRequest
from tests.recommend.test_reload import grown
from tests.servers import ask, free_port
from tests.world import world_dataset

QUIET = Silent()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    made = Settings(
        home=tmp_path_factory.mktemp("pipeline") / "home",
        neo4j_bolt_port=free_port(),
        neo4j_http_port=free_port(),
        neo4j_heap="512m",
        neo4j_page_cache="64m",
    )
    yield made
    server.down(made.server_config)


def test_from_an_empty_home_to_a_recommendation_and_nothing_twice(settings: Settings) -> None:
    assert pipeline.may_import(settings, QUIET)
    pipeline.load_dataset(settings, world_dataset(), QUIET)
    with open_store(settings) as store:
        assert store.is_loaded(world_dataset())
        assert store.counts()["events"] == 40
        loaded = store.graph_version()
    pipeline.note_demo(settings, "world")
    assert pipeline.demo_is_loaded(settings, "world")
    assert not pipeline.demo_is_loaded(settings, "movies")

    assert not pipeline.may_import(settings, QUIET)
    pipeline.load_dataset(settings, world_dataset(), QUIET)
    with open_store(settings) as store:
        assert store.graph_version() == loaded  # the second load wrote nothing

    columns = pipeline.snapshot(settings, QUIET)
    assert not pipeline.is_trained(settings, columns)
    trained = pipeline.train(settings, columns, QUIET)
    assert current_version(settings.models_dir) is None  # trained is not published
    pipeline.publish(settings, trained.version, QUIET)
    assert current_version(settings.models_dir) == trained.version
    assert pipeline.is_trained(settings, pipeline.snapshot(settings, QUIET))
    versions = "MATCH (n) WHERE n.embedding IS NOT NULL RETURN DISTINCT n.embedding_version AS version"
    assert ask(server.connection(settings.server_config), versions) == [{"version": trained.version}]

    with wire(settings, QUIET) as wired:
        ranked = wired.services.recommender.recommend(RecommendRequest(user_id="ann", n=3))
        assert (ranked.strategy, ranked.model_version) == ("model", trained.version)
        assert not {"pulp", "dogs", "kill", "heat", "thelma"} & {item.item_id for item in ranked.items}


def test_a_load_while_somebody_writes_goes_through_the_running_server(settings: Settings, tmp_path: Path) -> None:
    from clew import lease

    with lease.held(settings.writer_lock, wait=False, stopping=lambda: False):
        assert not pipeline.may_import(settings, QUIET)


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
    assert ask(server.connection(settings.server_config), versions) == [{"version": first}]
    pipeline.publish(settings, second, QUIET)
    assert models.held(settings.models_dir) is None
    assert ask(server.connection(settings.server_config), versions) == [{"version": second}]


def test_a_bulk_load_shows_in_a_running_server_whose_model_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And at a start, when the load came while nothing served."""
    for name in ("home", "neo4j_bolt_port", "neo4j_http_port"):
        monkeypatch.setenv(environment_name(name), str(getattr(settings, name)))
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
