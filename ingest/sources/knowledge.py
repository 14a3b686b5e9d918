"""A knowledge graph (.kg) around the items that .link names, as declared relations.

Films: the facts of ingest.sources.films, each in one direction. Other relations keep their own names: the entities are
then all of one type, Thing, because such a file does not say what its entities are and one entity may stand in many
relations; between two items, or two things, the relation is a type of its own.
Triples of a known fact with an end that should be an item and is none are rejected: nothing could be recommended there.
"""

import polars as pl

from domain.declarations import EntityType, RelationType
from ingest.report import RejectedLog
from ingest.sources.assemble import Assembly, entity_ids, item_frame
from ingest.sources.atomic import AtomicFile
from ingest.sources.declared import Declared, in_words, relation_name
from ingest.sources.films import ENTITY_TYPES, FACTS, Fact, is_about_films
from ingest.validate import LINE, Checks

THING = EntityType(label="Thing", noun="thing", description="An entity that its source gives no type.")


def relate_knowledge(
    kg: AtomicFile, link: AtomicFile, assembly: Assembly, declared: Declared, rejected: RejectedLog, *, closed: bool
) -> None:
    """Adds the graph to the assembly.

    closed: the items are already known, and links of other items are rejected; otherwise .link may name new items.
    """
    links = _links(link, assembly, rejected, closed)
    checks = Checks(kg.path.name, rejected)
    columns = (kg.column("head_id"), kg.column("relation_id"), kg.column("tail_id"))
    triples = checks.ids(kg.frame, *columns).select(LINE, *columns)
    triples.columns = [LINE, "head_id", "relation_id", "tail_id"]
    counted = triples.group_by("relation_id", maintain_order=True).len()
    if is_about_films(dict(counted.iter_rows())):
        for kind in ENTITY_TYPES:
            declared.entity(kind)
        for fact in FACTS:
            _relate_fact(fact, triples, links, assembly, declared, checks)
        known = [name for fact in FACTS for name in (*fact.forward, *fact.backward)]
        triples = triples.filter(~pl.col("relation_id").is_in(known))
    ends = links.rename({"item": "head_item"}), links.rename({"item": "tail_item"})
    placed = triples.join(ends[0], left_on="head_id", right_on="entity", how="left", maintain_order="left")
    placed = placed.join(ends[1], left_on="tail_id", right_on="entity", how="left", maintain_order="left")
    own = (pl.col("head_id") == pl.col("tail_id")) | (pl.col("head_item") == pl.col("tail_item"))
    placed = checks.drop(placed, own, field="tail_id", reason="it relates a thing to itself")
    for name in counted["relation_id"].to_list():
        _relate_other(name, placed.filter(pl.col("relation_id") == name), assembly, declared)


def _links(link: AtomicFile, assembly: Assembly, rejected: RejectedLog, closed: bool) -> pl.DataFrame:
    """item, entity: which entity an item is."""
    checks = Checks(link.path.name, rejected)
    item, entity = link.column("item_id"), link.column("entity_id")
    links = checks.ids(link.frame, item, entity)
    if closed:
        known = pl.concat([assembly.items["id"], assembly.events["item_id"]]).unique()
        links = checks.known(links, item, known, "item of .item or .inter")
    else:
        named = links.select(id=item).unique(maintain_order=True).join(assembly.items, on="id", how="anti")
        assembly.items = pl.concat([assembly.items, item_frame(named, assembly.item_kind)], how="diagonal")
    return links.select(item=item, entity=entity).unique(maintain_order=True)


def _relate_fact(
    fact: Fact, triples: pl.DataFrame, links: pl.DataFrame, assembly: Assembly, declared: Declared, checks: Checks
) -> None:
    relation = declared.relation(fact.relation)
    both = [
        triples.filter(pl.col("relation_id").is_in(names)).rename({film: "film", other: "other"})
        for names, film, other in ((fact.forward, "head_id", "tail_id"), (fact.backward, "tail_id", "head_id"))
    ]
    rows = pl.concat([part.select(LINE, "film", "other") for part in both])
    rows = checks.known(rows, "film", links["entity"], "item that .link names")
    items = links.select(head="item", entity="entity")
    pairs = rows.join(items, left_on="film", right_on="entity", maintain_order="left")
    if relation.tail == "Item":
        pairs = checks.known(pairs, "other", links["entity"], "item that .link names")
        tails = links.select(tail="item", entity="entity")
        pairs = pairs.join(tails, left_on="other", right_on="entity", maintain_order="left")
    else:
        pairs = pairs.with_columns(tail=entity_ids(relation.tail, "other"))
    assembly.relate(relation, pairs)


def _relate_other(name: str, rows: pl.DataFrame, assembly: Assembly, declared: Declared) -> None:
    """Up to three types per relation: of items (an item at either end), between items, and between things."""
    parts = name.split(".")
    head, tail = pl.col("head_item"), pl.col("tail_item")
    thing_head, thing_tail = entity_ids(THING.label, "head_id"), entity_ids(THING.label, "tail_id")
    forward = rows.filter(head.is_not_null() & tail.is_null()).select(head=head, tail=thing_tail)
    backward = rows.filter(head.is_null() & tail.is_not_null()).select(head=tail, tail=thing_head)
    between = rows.filter(head.is_not_null() & tail.is_not_null()).select(head=head, tail=tail)
    apart = rows.filter(head.is_null() & tail.is_null()).select(head=thing_head, tail=thing_tail)
    ahead = (parts[-1], ".".join(parts[-2:]), name)
    back = (parts[-2], ".".join(parts[-3:-1]), name) if len(parts) > 1 else (f"{name} of",)
    for pairs, names, ends, direction in (
        (forward, ahead, ("Item", THING.label), "from the item"),
        (backward, back, ("Item", THING.label), "towards the item"),
        (between, ahead, ("Item", "Item"), "between items"),
        (apart, ahead, (THING.label, THING.label), "between things"),
    ):
        if len(pairs):
            relation = RelationType(
                type=relation_name(names, declared.relation_types),
                head=ends[0],
                tail=ends[1],
                description=f"{name}, {direction}.",
                same=in_words(names[0]),
                phrase=f"with {in_words(names[0])}",
            )
            if THING.label in ends:
                declared.entity(THING)
            assembly.relate(declared.relation(relation), pairs)
