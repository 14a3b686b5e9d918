"""A model's vectors into the graph, so that Cypher can ask for neighbours."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from cypher import statement
from domain.progress import Progress
from graph.columns import slices
from graph.driver import Driver
from graph.schema import install_vector_index

BATCH = 5_000
Side = tuple[Sequence[str], NDArray[np.float32]]  # ids and their vectors


def write_embeddings(
    driver: Driver, version: str, sides: Mapping[str, Side], metrics: Mapping[str, object], progress: Progress
) -> None:
    """Per label: vectors, their version and a vector index; then the model's node. Twice equals once."""
    for label, (ids, vectors) in sides.items():
        with progress.step(f"Writing {label} embeddings", len(ids)) as advance:
            text = statement("write/embeddings", label=label)
            for part in slices(len(ids), BATCH):
                chosen = list(ids[part])
                rows = vectors[part].astype(np.float64).tolist()
                driver.run(text, {"ids": chosen, "vectors": rows, "version": version})
                advance(len(chosen))
        _clear_others(driver, label, version)
        if len(ids):
            install_vector_index(driver, label, vectors.shape[1])
    encoded = msgspec.json.encode(dict(metrics)).decode()
    driver.run(statement("write/model"), {"version": version, "trained_at": datetime.now(UTC), "metrics": encoded})


def _clear_others(driver: Driver, label: str, version: str) -> None:
    text = statement("write/clear_embeddings", label=label)
    cleared = BATCH
    while cleared == BATCH:
        (row,) = driver.run(text, {"version": version, "limit": BATCH})
        cleared = cast(int, row["cleared"])
