"""A graph of triples, as relations from the items of a bench to entities.

An end that is an item (by the link file, else by its own id) is that item. A triple with an item at its head gives the
item an attribute, one with an item at its tail gives it an attribute of the relation read backwards. Where both ends
are items, each also stands as an attribute of itself, so that the two share one. Triples between two other things
are kept as relations of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from domain.declarations import EntityType, RelationType
from domain.snapshot import Relations, Text, object_column
from ingest.sources.declared import in_words, relation_name

THING = EntityType(label="Thing", noun="thing", description="An entity of the file's graph.")


@dataclass(frozen=True)
class Knowledge:
    """entity_ids (E,) sorted; relation_types and relations in the same order."""

    entity_ids: Text
    relation_types: tuple[RelationType, ...]
    relations: tuple[Relations, ...]


def no_knowledge() -> Knowledge:
    return Knowledge(object_column([]), (), ())


def knowledge_of(triples: pl.DataFrame, links: pl.DataFrame | None, item_row: Mapping[str, int]) -> Knowledge:
    """The graph seen from these items. Triples of a thing with itself, and doubles, are left out."""
    placed = _place_items(triples.filter(pl.col("head") != pl.col("tail")).unique(), links, item_row)
    parts: list[tuple[str, str, pl.DataFrame]] = []  # relation name, kind of head, (head, tail)
    for name in placed["relation"].unique(maintain_order=True).sort().to_list():
        parts += [(words, kind, pairs) for words, kind, pairs in _parts_of(name, placed) if len(pairs)]
    keys = pl.concat([pairs.select(id=pl.col("tail")) for _, _, pairs in parts] or [pl.DataFrame({"id": []})])
    heads = [pairs.select(id=pl.col("head")) for _, kind, pairs in parts if kind == "entity"]
    entities = pl.concat([keys, *heads])["id"].cast(pl.String).unique().sort()
    types: list[RelationType] = []
    relations: list[Relations] = []
    for words, kind, pairs in parts:
        types.append(_declare(words, kind, types))
        relations.append(_rows(types[-1].type, kind, pairs, entities))
    ids = object_column([f"{THING.label}:{key}" for key in entities.to_list()])
    return Knowledge(ids, tuple(types), tuple(relations))


def _place_items(triples: pl.DataFrame, links: pl.DataFrame | None, item_row: Mapping[str, int]) -> pl.DataFrame:
    """The triples with the item rows of their ends, null where an end is no item."""
    items = pl.DataFrame({"item_id": list(item_row), "row": list(item_row.values())}, schema_overrides=_ROWS)
    if links is None:
        known = items.rename({"item_id": "entity_id"})
    else:
        known = links.unique().join(items, on="item_id").select("entity_id", "row")
    heads, tails = known.rename({"row": "head_item"}), known.rename({"row": "tail_item"})
    placed = triples.join(heads, left_on="head", right_on="entity_id", how="left")
    return placed.join(tails, left_on="tail", right_on="entity_id", how="left")


_ROWS = {"item_id": pl.String, "row": pl.Int32}


def _parts_of(name: str, placed: pl.DataFrame) -> list[tuple[str, str, pl.DataFrame]]:
    """One relation's attributes of items, read forwards and backwards, and what it says between other things."""
    rows = placed.filter(pl.col("relation") == name)
    head, tail = pl.col("head_item"), pl.col("tail_item")
    both = rows.filter(head.is_not_null() & tail.is_not_null())
    forward = [rows.filter(head.is_not_null()).select(head=head, tail="tail"), both.select(head=tail, tail="tail")]
    backward = [rows.filter(tail.is_not_null()).select(head=tail, tail="head"), both.select(head=head, tail="head")]
    between = rows.filter(head.is_null() & tail.is_null()).select("head", "tail")
    return [
        (name, "item", pl.concat(forward).unique()),
        (f"{name} of", "item", pl.concat(backward).unique()),
        (f"{name} between things", "entity", between),
    ]


def _declare(words: str, kind: str, taken: Sequence[RelationType]) -> RelationType:
    return RelationType(
        type=relation_name([words], [each.type for each in taken]),
        head="Item" if kind == "item" else THING.label,
        tail=THING.label,
        description=words,
        same=in_words(words),
        phrase=f"with {in_words(words)}",
    )


def _rows(name: str, kind: str, pairs: pl.DataFrame, entities: pl.Series) -> Relations:
    """Dense rows, ordered by head, then tail."""
    keys = pl.DataFrame({"key": entities, "entity": pl.int_range(len(entities), eager=True, dtype=pl.Int32)})
    joined = pairs.join(keys, left_on="tail", right_on="key", how="left").rename({"entity": "tail_row"})
    if kind == "entity":
        joined = joined.join(keys, left_on="head", right_on="key", how="left").drop("head")
        joined = joined.rename({"entity": "head"})
    joined = joined.sort("head", "tail_row")
    heads, tails = joined["head"].to_numpy().astype(np.int32), joined["tail_row"].to_numpy().astype(np.int32)
    return Relations(name, kind, "entity", heads, tails, np.ones(len(heads), np.float32))
