"""A data set without the people who were erased: what a file still says of them is not loaded again."""

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.tables import Dataset, EventTable, RelationTable, Text


def without_erased(dataset: Dataset, erased: Callable[[Collection[str]], Collection[str]]) -> Dataset:
    """The data set as it is when nobody of it was erased. erased: which of the ids are of people who were."""
    gone = set(erased(set(dataset.users.ids.tolist())))
    if not gone:
        return dataset
    users, kept = dataset.users, _stay(dataset.users.ids, gone)
    properties = {name: column[kept] for name, column in users.properties.items()}
    return replace(
        dataset,
        users=replace(users, ids=users.ids[kept], properties=properties),
        relations=tuple(_relations(table, gone) for table in dataset.relations),
        events=_events(dataset.events, gone),
    )


def _stay(ids: Text, gone: set[str]) -> NDArray[np.bool_]:
    return np.fromiter((value not in gone for value in ids.tolist()), np.bool_, len(ids))


def _relations(table: RelationTable, gone: set[str]) -> RelationTable:
    kept = np.ones(len(table.heads), np.bool_)
    for label, ids in ((table.head_label, table.heads), (table.tail_label, table.tails)):
        if label == "User":
            kept &= _stay(ids, gone)
    weights = None if table.weights is None else table.weights[kept]
    return replace(table, heads=table.heads[kept], tails=table.tails[kept], weights=weights)


def _events(events: EventTable, gone: set[str]) -> EventTable:
    kept = _stay(events.user_ids, gone)
    return EventTable(
        event_ids=events.event_ids[kept],
        user_ids=events.user_ids[kept],
        item_ids=events.item_ids[kept],
        kinds=events.kinds[kept],
        values=events.values[kept],
        at=events.at[kept],
        session_ids=None if events.session_ids is None else events.session_ids[kept],
    )
