"""The OpenAPI document as a test: whatever it allows, and whatever it forbids, is answered without a server error."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS

from api.app import openapi_document
from api.services import Services
from graph.store import GraphStore
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.world import World
from tests.api.conftest import Live, running
from tests.recommend.small_model import small_artifact

configuration = schemathesis.Config.from_dict({"seed": 0, "generation": {"mode": "all"}})
schema = schemathesis.openapi.from_dict(openapi_document(), config=configuration)
PROMISES = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    )
]


@pytest.fixture(scope="module")
def whole(graph: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A real app on a real log and the real Neo4j."""
    with Log(tmp_path_factory.mktemp("schema") / "log.db") as log:
        world = World(log, artifact=small_artifact())
        with running(Services(recommender=Recommender(world, graph), world=world, log=log, graph=graph)) as live:
            yield live


@pytest.mark.timeout(240)
@schema.parametrize()
@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_what_the_document_allows_or_forbids_is_answered_as_it_says(case: schemathesis.Case, whole: Live) -> None:
    answer = case.call(base_url=whole.url)
    case.validate_response(answer, checks=PROMISES)
