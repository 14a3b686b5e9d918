"""One Neo4j for all towns, which may be killed: that of the other tests may not."""

from collections.abc import Iterator

import pytest

from tests.chaos.town import Neo4j


@pytest.fixture(scope="package")
def neo4j(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4j]:
    with Neo4j(tmp_path_factory.mktemp("neo4j")) as made:
        yield made
