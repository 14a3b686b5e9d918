"""RDF: Turtle, N-Triples, JSON-LD, RDF/XML, by a mapping file (see ingest.rdf_mapping)."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from domain.declarations import RelationType
from domain.errors import InvalidSource
from domain.progress import Progress
from domain.tables import Dataset
from ingest.rdf_mapping import (
    RdfEntities,
    RdfEvents,
    RdfItems,
    RdfMapping,
    RdfProperty,
    RdfRelations,
    RdfUsers,
    declaration_of,
    read_rdf_mapping,
)
from ingest.report import RejectedLog
from ingest.sources.assemble import FOLLOWS, Assembly, empty_users, item_frame, no_events, no_items
from ingest.sources.rdf_triples import TYPE, Triples, read_triples
from ingest.validate import LINE, Checks

IN_STOCK = "https://schema.org/InStock"


def read(path: Path, rejected: RejectedLog, progress: Progress, mapping_file: Path | None = None) -> Dataset:
    """path: the RDF file. mapping_file: None for the one beside it, films.toml for films.nt.

    Raises: InvalidMapping when the mapping is wrong; InvalidSource when the file is unreadable, or without an item.
    """
    mapping = read_rdf_mapping(mapping_file or path.with_suffix(".toml"))
    triples = Triples(mapping.classes, mapping.predicates)
    with progress.step(f"reading {path.name}") as advance:
        read_triples(path, triples, rejected, advance)
    reading = _Reading(mapping, triples, Checks(path.name, rejected))
    items = _union([no_items(), *(reading.items(rule) for rule in mapping.items)])
    if items.is_empty():
        classes = ", ".join(rule.class_ for rule in mapping.items)
        raise InvalidSource(f"{path.name} has no node of the class {classes}; check [[items]]", field="items")
    users = _union([empty_users(), *(reading.users(rule) for rule in mapping.users)])
    events = _union([no_events(), *(reading.events(rule, items["id"]) for rule in mapping.events)], "event_id")
    assembly = Assembly(users=users, items=items, events=events, item_kind="item")
    for rule in mapping.entities:
        assembly.describe(rule.label, reading.entities(rule))
    declared = declaration_of(mapping)
    types = {kind.type: kind for kind in (*declared.relation_types, FOLLOWS)}
    for rule in mapping.relations:
        reading.relate(rule, types[rule.type], assembly)
    return assembly.dataset(mapping.source.name, declared)


def _union(frames: list[pl.DataFrame], key: str = "id") -> pl.DataFrame:
    return pl.concat(frames, how="diagonal_relaxed").unique(key, keep="first", maintain_order=True)


@dataclass(frozen=True)
class _Reading:
    """Triples as the frames of ingest.sources.assemble."""

    mapping: RdfMapping
    triples: Triples
    checks: Checks

    def items(self, rule: RdfItems) -> pl.DataFrame:
        frame = self._nodes(rule, "Item")
        for column, predicate in (("name", rule.name), ("item_kind", rule.kind_predicate)):
            if predicate:
                frame = self._with_value(frame, predicate, column)
        if rule.name:
            frame = frame.with_columns(pl.col("name").fill_null(pl.col("id")))
        if rule.kind_predicate:
            frame = frame.with_columns(pl.col("item_kind").fill_null(rule.kind))
        if rule.available:
            frame = self._with_value(frame, rule.available, "available")
            stocked = pl.col("available").replace({IN_STOCK: "true"}).str.replace(r"^https?://schema\.org/.*$", "false")
            frame = self.checks.flags(frame.with_columns(stocked), "available")
            frame = frame.with_columns(pl.col("available").fill_null(True))
        if rule.created_at:
            frame = self._with_value(frame, rule.created_at, "created_at")
            frame = self.checks.times(frame, "created_at", zone=self.mapping.source.time_zone, required=False)
        return item_frame(self._with_properties(frame, rule.properties).drop("subject", LINE), rule.kind)

    def users(self, rule: RdfUsers) -> pl.DataFrame:
        return self._with_properties(self._nodes(rule, "User"), rule.properties).drop("subject", LINE)

    def entities(self, rule: RdfEntities) -> pl.DataFrame:
        frame = self._nodes(rule, rule.label)
        if rule.name is None:
            return frame.select("id", name=pl.lit(None, pl.String))
        return self._with_value(frame, rule.name, "name").select("id", "name")

    def events(self, rule: RdfEvents, items: pl.Series) -> pl.DataFrame:
        frame = self._typed(rule.class_).with_columns(event_id=self._cut(rule.base))
        for column, predicate, label in (("user_id", rule.user, "User"), ("item_id", rule.item, "Item")):
            frame = self._with_value(frame, predicate, column)
            frame = frame.with_columns(self._id_of(label, column).alias(column))
        frame = self._with_value(frame, rule.at, "at")
        frame = self.checks.ids(frame, "event_id", "user_id", "item_id")
        frame = self.checks.known(frame, "item_id", items, "item of an [[items]] class")
        frame = self.checks.times(frame, "at", zone=self.mapping.source.time_zone)
        if rule.value:
            frame = self.checks.numbers(self._with_value(frame, rule.value, "value"), "value")
        else:
            frame = frame.with_columns(value=pl.lit(None, pl.Float64))
        return frame.with_columns(kind=pl.lit(rule.kind)).select(no_events().columns)

    def relate(self, rule: RdfRelations, kind: RelationType, assembly: Assembly) -> None:
        """Adds the relations of a predicate. Subjects of other classes than the head's are passed over."""
        near, far = ("tail", "head") if rule.inverse else ("head", "tail")
        frame = self.triples.frame(self.mapping.iri(rule.predicate)).rename(
            {"subject": near, "value": far, "line": LINE}
        )
        frame = frame.with_columns(text=pl.when(pl.col("language").is_not_null()).then(pl.col(far)))
        for end, label in (("head", kind.head), ("tail", kind.tail)):
            frame = frame.with_columns(self._id_of(label, end).alias(end))
        frame = frame.filter(pl.col(near).is_in(self._known(getattr(kind, near), assembly).implode()))
        frame = self.checks.ids(frame, far)
        if getattr(kind, far) in ("User", "Item"):
            known = self._known(getattr(kind, far), assembly)
            frame = self.checks.known(frame, far, known, f"{getattr(kind, far)} of the mapping")
        if kind.head == kind.tail:
            itself = pl.col("head") == pl.col("tail")
            frame = self.checks.drop(frame, itself, field="tail", reason="it relates a thing to itself")
        assembly.relate(kind, frame)
        if kind.tail not in ("User", "Item"):
            named = frame.filter(pl.col("text").is_not_null()).select(id="tail", name="text")
            assembly.describe(kind.tail, named.unique("id", maintain_order=True))
        if kind.head not in ("User", "Item"):
            assembly.describe(kind.head, frame.select(id="head", name=pl.lit(None, pl.String)).unique("id"))

    def _known(self, label: str, assembly: Assembly) -> pl.Series:
        if label == "Item":
            return assembly.items["id"]
        if label == "User":
            return pl.concat([assembly.users["id"], assembly.events["user_id"]]).unique()
        parts = [part["id"] for part in assembly.entities.get(label, [])]
        return pl.concat(parts) if parts else pl.Series(dtype=pl.String)

    def _typed(self, class_name: str) -> pl.DataFrame:
        """subject and LINE of every node of a class, once."""
        frame = self.triples.frame(TYPE).filter(pl.col("value") == self.mapping.iri(class_name))
        return frame.select("subject", pl.col("line").alias(LINE)).unique("subject", keep="first", maintain_order=True)

    def _nodes(self, rule: RdfItems | RdfUsers | RdfEntities, label: str) -> pl.DataFrame:
        """subject, LINE and id of every node of a rule's class."""
        frame = self._typed(rule.class_).with_columns(id=self._cut(rule.base))
        if label in ("Item", "User"):
            return self.checks.first_of_each(self.checks.ids(frame, "id"), "id")
        return self.checks.first_of_each(self.checks.entity_ids(frame, "id", label), "id")

    def _cut(self, base: str, column: str = "subject") -> pl.Expr:
        """The id in an IRI: what follows the base, percent-decoded."""
        value = pl.col(column)
        if not base:
            return value
        rest = value.str.strip_prefix(base)
        decoded = (
            pl.when(rest.str.contains("%", literal=True))
            .then(rest.map_elements(unquote, return_dtype=pl.String))
            .otherwise(rest)
        )
        return pl.when(value.str.starts_with(base)).then(decoded).otherwise(value)

    def _id_of(self, label: str, column: str) -> pl.Expr:
        """Ids of nodes of a label in a column of IRIs (and, for entities, of texts)."""
        rules = {"User": self.mapping.users, "Item": self.mapping.items}.get(label)
        if rules is None:
            rules = tuple(rule for rule in self.mapping.entities if rule.label == label)
        expression = pl.col(column).str.strip_chars()
        for rule in rules:
            expression = (
                pl.when(pl.col(column).str.starts_with(rule.base))
                .then(self._cut(rule.base, column))
                .otherwise(expression)
                if rule.base
                else expression
            )
        return expression if label in ("User", "Item") else pl.concat_str(pl.lit(f"{label}:"), expression)

    def _with_value(self, frame: pl.DataFrame, predicate: str, column: str) -> pl.DataFrame:
        """Adds the value of a predicate: of several that in the best language, of equals the first."""
        values = self.triples.frame(self.mapping.iri(predicate))
        values = values.sort(self._rank(), maintain_order=True).unique("subject", keep="first", maintain_order=True)
        return frame.join(
            values.select("subject", pl.col("value").alias(column)), on="subject", how="left", maintain_order="left"
        )

    def _rank(self) -> pl.Expr:
        """0 for the first wanted language ("en" is also "en-GB"), after them text without one, nodes, and the rest."""
        language = pl.col("language")
        wanted = [each.lower() for each in self.mapping.source.languages]
        rank = pl.when(language.is_null() | (language == "")).then(len(wanted)).otherwise(len(wanted) + 1)
        for place, each in reversed(list(enumerate(wanted))):
            rank = pl.when((language == each) | language.str.starts_with(f"{each}-")).then(place).otherwise(rank)
        return rank

    def _with_properties(self, frame: pl.DataFrame, properties: tuple[RdfProperty, ...]) -> pl.DataFrame:
        for each in properties:
            if each.type == "list":
                values = self.triples.frame(self.mapping.iri(each.predicate))
                lists = values.group_by("subject", maintain_order=True).agg(pl.col("value").alias(each.name))
                frame = frame.join(lists, on="subject", how="left", maintain_order="left")
                continue
            frame = self._with_value(frame, each.predicate, each.name)
            if each.type == "number":
                frame = self.checks.numbers(frame, each.name)
            elif each.type == "flag":
                frame = self.checks.flags(frame, each.name)
        return frame
