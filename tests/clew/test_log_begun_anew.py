"""A log that is begun anew while model and Neo4j know an older one: what it takes counts in lists at once."""

import uuid
from dataclasses import replace

import msgspec
import pytest

from clew.settings import Settings
from clew.wiring import wire
from clew.writer import drain_once
from domain.dataset_snapshot import snapshot_of
from domain.progress import Silent
from embeddings.artifact import switch_current, write_artifact
from tests.clew.test_erasure import dataset, settings
from tests.recommend.small_model import small_artifact, small_weights
from tests.recommend.test_recommend_world import event

__all__ = ["settings"]
SEEN = 1_000


@pytest.fixture(params=["sqlite", "kafka"])
def trained(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """A home whose model was trained when the log, which is empty now, had a thousand records."""
    snapshot = replace(snapshot_of(dataset()), log_offset=SEEN)
    manifest = msgspec.structs.replace(small_artifact().manifest, version="v3", log_offset=SEEN)
    write_artifact(settings.models_dir, manifest, small_weights(snapshot), snapshot)
    switch_current(settings.models_dir, "v3")
    if request.param == "sqlite":
        return settings
    kafka = request.getfixturevalue("kafka")
    return settings.model_copy(update={"events": f"kafka://{kafka}/anew-{uuid.uuid4().hex[:8]}"})


def test_what_a_log_that_was_begun_anew_takes_is_in_profiles_and_the_graph(trained: Settings) -> None:
    for number, item_id in enumerate(("alien", "blade"), start=1):
        with wire(trained, Silent()) as wired:
            (verdict,) = wired.log.append([event("c2", item_id)])
            assert verdict.offset == SEEN + number
            wired.services.world.catch_up()
            record = wired.services.world.view().user("c2")
            assert record is not None
            assert len(record.events) == number
            assert drain_once(wired.log, wired.graph.store()) == 1
