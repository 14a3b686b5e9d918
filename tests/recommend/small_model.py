"""A model of the hand-written world whose weights are small numbers, so that every score can be worked out on paper.

F of an item and entity is √(θ / number of the item's relations of that type), θ = 4 for DIRECTED_BY, 1 for the others.
So two films by one director share 2 · 2 = 4, two films of one genre 1, and Pulp Fiction with its two actors has √½ of
each. Behaviour: pulp -> diehard 2 and thelma -> blade 0.5. Taste: alien, blade and thelma have Q = C = (1, 0), pulp and
dogs (0, 1), all others 0. Bias: 0.25 for pulp and alien. Nothing is normalised: a user's weights count as they are.

The crowd: six more users, c1 to c6, who bought Pulp Fiction and Die Hard.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from domain.dataset_snapshot import snapshot_of
from domain.snapshot import Snapshot, object_column
from domain.tables import Dataset
from embeddings.artifact import FORMAT, Artifact, Manifest
from embeddings.weighting import weigh_pairs
from embeddings.weights import Normalisation, Weights
from tests.world import world_dataset, world_time

THETA = {"DIRECTED_BY": 4.0, "ACTED_BY": 1.0, "HAS_GENRE": 1.0}
BEHAVIOUR = {("pulp", "diehard"): 2.0, ("thelma", "blade"): 0.5}
TASTE = {"alien": (1, 0), "blade": (1, 0), "thelma": (1, 0), "pulp": (0, 1), "dogs": (0, 1)}
BIAS = {"pulp": 0.25, "alien": 0.25}
CROWD = ("c1", "c2", "c3", "c4", "c5", "c6")


def crowded_dataset() -> Dataset:
    """The world and the crowd."""
    world = world_dataset()
    events, users = world.events, world.users
    who = [user for user in CROWD for _ in range(2)]
    what = ["pulp", "diehard"] * len(CROWD)
    extra = len(who)
    return replace(
        world,
        users=replace(
            users,
            ids=object_column([*users.ids, *CROWD]),
            properties={"country": object_column([*users.properties["country"], *[None] * len(CROWD)])},
        ),
        events=replace(
            events,
            event_ids=object_column([*events.event_ids, *(f"crowd{place}" for place in range(extra))]),
            user_ids=object_column([*events.user_ids, *who]),
            item_ids=object_column([*events.item_ids, *what]),
            kinds=object_column([*events.kinds, *["purchase"] * extra]),
            values=np.append(events.values, [np.nan] * extra),
            at=np.append(events.at, [world_time(20)] * extra),
            session_ids=None,
        ),
    )


def small_artifact() -> Artifact:
    """The model above, with the crowded world's snapshot; never written to disk."""
    snapshot = snapshot_of(crowded_dataset())
    manifest = Manifest(
        format=FORMAT,
        version="small",
        created_at="2026-01-01T00:00:00Z",
        seed=0,
        snapshot_version=snapshot.version,
        log_offset=0,
        declaration=snapshot.declaration.fingerprint,
        counts={},
        metrics={},
        settings={},
        normalisation=Normalisation(linear_power=0.0, taste_power=0.0),
        versions={},
        shapes={},
        files={},
    )
    return Artifact(Path("small"), manifest, small_weights(snapshot), snapshot)


def nameless_actors() -> Artifact:
    """The model, where Thurman is in Die Hard too, as Willis is, and no actor has a name."""
    artifact = small_artifact()
    snapshot = artifact.snapshot
    types = [relation.type for relation in snapshot.relations]
    acted = snapshot.relations[types.index("ACTED_BY")]
    heads = np.append(acted.heads, np.int32(snapshot.item_row["diehard"]))
    tails = np.append(acted.tails, np.int32(snapshot.entity_row["Actor:thurman"]))
    more = [replace(one, heads=heads, tails=tails) if one is acted else one for one in snapshot.relations]
    pairs = zip(snapshot.entity_ids, snapshot.entity_names, strict=True)
    names = object_column([None if entity_id.startswith("Actor:") else name for entity_id, name in pairs])
    snapshot = replace(snapshot, entity_names=names, relations=tuple(more))
    return replace(artifact, snapshot=snapshot, weights=small_weights(snapshot))


def small_weights(snapshot: Snapshot) -> Weights:
    items = [str(item_id) for item_id in snapshot.item_ids]
    features, dense = _features(snapshot)
    num_items, num_features, num_entities = len(items), len(features), len(snapshot.entity_ids)
    rows, columns = np.nonzero(dense)
    indptr = np.searchsorted(rows, np.arange(num_items + 1)).astype(np.int64)
    behaviour = np.zeros((num_items, num_items), np.float16)
    for (left, right), value in BEHAVIOUR.items():
        behaviour[items.index(left), items.index(right)] = value
    taste = np.array([TASTE.get(item, (0, 0)) for item in items], np.float32)
    lengths = np.linalg.norm(taste, axis=1, keepdims=True)
    takers = _takers(snapshot)
    theta = [THETA.get(relation.type, 0.0) for relation in snapshot.declaration.relation_types]
    return Weights(
        features_indptr=indptr,
        features_indices=columns.astype(np.int32),
        features_data=dense[rows, columns].astype(np.float32),
        feature_entities=np.array([entity for _, entity in features], np.int32),
        feature_relations=np.array([code for code, _ in features], np.int16),
        feature_idf=np.ones(num_features, np.float32),
        relation_weights=np.array(theta, np.float32),
        compose_context=np.zeros((num_features, 1), np.float32),
        compose_targets=np.zeros((num_features, 1), np.float32),
        taste_context=taste,
        taste_targets=taste,
        entity_context=_entity_vectors(snapshot),
        entity_targets=_entity_vectors(snapshot),
        base_bias=np.zeros(1, np.float32),
        borrow_slopes=np.zeros(2, np.float32),
        bias=np.array([BIAS.get(item, 0.0) for item in items], np.float32),
        target_scale=np.ones(num_items, np.float32),
        item_vectors=taste / np.where(lengths > 0, lengths, 1),
        entity_vectors=_entity_vectors(snapshot),
        takers_indptr=np.append(0, np.cumsum([len(users) for users in takers])).astype(np.int64),
        takers_rows=np.concatenate(takers).astype(np.int32) if num_entities else np.empty(0, np.int32),
        behaviour_rows=behaviour,
    )


def _features(snapshot: Snapshot) -> tuple[list[tuple[int, int]], np.ndarray]:
    """(relation code, entity row) of each column, and F (I, K)."""
    pairs: list[tuple[int, int, int]] = []
    for code, relation in enumerate(snapshot.relations):
        if relation.type in THETA:
            pairs += [(int(head), code, int(tail)) for head, tail in zip(relation.heads, relation.tails, strict=True)]
    features = sorted({(code, entity) for _, code, entity in pairs})
    dense = np.zeros((len(snapshot.item_ids), len(features)))
    for head, code, entity in pairs:
        of_type = sum(1 for other, same, _ in pairs if (other, same) == (head, code))
        theta = THETA[snapshot.declaration.relation_types[code].type]
        dense[head, features.index((code, entity))] = np.sqrt(theta / of_type)
    return features, dense


def _entity_vectors(snapshot: Snapshot) -> np.ndarray:
    """Scott is (1, 0), Tarantino (0, 1), everything else 0."""
    axis = {"Director:scott": (1, 0), "Director:tarantino": (0, 1)}
    return np.array([axis.get(str(entity_id), (0, 0)) for entity_id in snapshot.entity_ids], np.float32)


def _takers(snapshot: Snapshot) -> list[np.ndarray]:
    """The users with a positive weight, per item."""
    events = snapshot.interactions
    columns = (events.user_rows, events.item_rows, events.kinds, events.values, events.at)
    pairs = weigh_pairs(snapshot.declaration, *columns)
    positive = pairs.weights > 0
    return [np.sort(pairs.user_rows[positive & (pairs.item_rows == row)]) for row in range(len(snapshot.item_ids))]
