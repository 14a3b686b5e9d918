"""Entities near to what a user took, by the model's vectors."""

import numpy as np
from numpy.typing import NDArray

from recommend.subject import Subject
from recommend.world import View

SHRINK_ENTITIES = 4
SPARE = 100  # looked at beside those wanted: entities that were deleted since the training are passed over


def near_entities(view: View, subject: Subject, n: int) -> tuple[list[int], NDArray[np.floating]]:
    """At most n entity rows, the nearest first, and (E,) how near each entity is; sensitive ones are left out.

    The cosine is shrunk by d / (d + 4) for an entity of d items: a vector learned from one item says little. Nothing
    without a model, or for a user who took nothing.
    """
    if view.scorer is None or not subject.has_liked:
        return [], np.empty(0, np.float32)
    similarity = view.scorer.entity_affinity(view.scorer.weigh(subject.events))
    degrees = view.catalogue.knowledge.counts_right(len(similarity))
    similarity = similarity * degrees / (degrees + SHRINK_ENTITIES)
    sensitive = np.array([kind.sensitive for kind in view.declaration.entity_types], np.bool_)
    types, ids = view.catalogue.entity_types[: len(similarity)], view.catalogue.entity_ids
    rows = np.flatnonzero((similarity > 0) & ~sensitive[types])
    if len(rows) > n + SPARE:
        least = np.partition(similarity[rows], len(rows) - n - SPARE)[len(rows) - n - SPARE]
        rows = rows[similarity[rows] >= least]
    ordered = sorted(rows.tolist(), key=lambda row: (-similarity[row], ids[row]))
    return [row for row in ordered if ids[row] in view.catalogue.entity_rows][:n], similarity
