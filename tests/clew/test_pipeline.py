"""The steps on a small world and a Neo4j of their own: each does its work once, and not again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clew import pipeline
from clew.settings import Settings
from clew.wiring import open_store, wire
from domain.progress import Silent
from embeddings.artifact import current_version
from graph import server
from recommend.request import RecommendRequest
from tests.ports import free_port
from tests.servers import ask
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
