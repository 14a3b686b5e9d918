"""The mapping file (TOML) of the source `table`: which columns of which files are users, items, events and relations.

docs/examples/shop/mapping.toml is a complete one with a comment per key.
"""

from typing import Literal

import msgspec

Unknown = Literal["create", "reject"]
FOLLOWS = "FOLLOWS"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True): ...


class FileOptions(_Part, frozen=True, kw_only=True):
    """How a file is read. format: by the file's ending unless given; delimiter: "," for CSV, a tab for TSV."""

    file: str
    format: Literal["csv", "tsv", "parquet", "jsonl"] | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"


class TimeOptions(FileOptions, frozen=True, kw_only=True):
    """time_zone: of times without an offset (default: the source's). time_format: "iso", "epoch_s", "epoch_ms" or a
    strptime pattern; without one, seconds, milliseconds and ISO 8601 are told apart by themselves."""

    time_zone: str | None = None
    time_format: str | None = None


class Column(_Part, frozen=True, kw_only=True):
    """A column that becomes a property. type: of its values; separator: between the values of a list."""

    column: str
    name: str | None = None
    description: str = ""
    sensitive: bool = False
    type: Literal["text", "number", "flag", "list"] = "text"
    separator: str = "|"

    @property
    def property_name(self) -> str:
        return self.name or self.column


class SourceOptions(_Part, frozen=True, kw_only=True):
    name: str
    licence: str = ""
    time_zone: str | None = None


class Items(TimeOptions, frozen=True, kw_only=True):
    """kind: one item kind for all rows; kind_column: a column that holds it. Without both: "item"."""

    id: str
    name: str | None = None
    kind: str | None = None
    kind_column: str | None = None
    available: str | None = None
    created_at: str | None = None
    properties: tuple[str | Column, ...] = ()


class Users(FileOptions, frozen=True, kw_only=True):
    id: str
    properties: tuple[str | Column, ...] = ()


class Entities(FileOptions, frozen=True, kw_only=True):
    """Names of entities. id: the column with the key (the id in the graph is "Label:key")."""

    label: str
    id: str
    name: str | None = None


class Relations(FileOptions, frozen=True, kw_only=True):
    """One relation per row and value. head_label, tail_label: "User", "Item" or an entity label.

    unknown: what happens to entities that no [[entities]] table names. Users and items must be known.
    """

    type: str
    head: str
    tail: str
    tail_label: str
    head_label: str = "Item"
    separator: str | None = None
    weight: str | None = None
    unknown: Unknown = "create"


class Events(TimeOptions, frozen=True, kw_only=True):
    """Exactly one of kind and kind_column. event: a column with unique event ids; key: the columns that tell events
    apart where there is none (default: user, item, kind, at and session)."""

    user: str
    item: str
    at: str
    kind: str | None = None
    kind_column: str | None = None
    kind_map: dict[str, str] = {}
    value: str | None = None
    session: str | None = None
    event: str | None = None
    key: tuple[str, ...] = ()
    unknown_users: Unknown = "create"
    unknown_items: Unknown | None = None


class EntityOptions(_Part, frozen=True, kw_only=True):
    noun: str | None = None
    description: str = ""
    sensitive: bool = False


class RelationOptions(_Part, frozen=True, kw_only=True):
    """same: completes "Same ___ as …"; phrase: goes before the entity's name ("made by")."""

    same: str | None = None
    phrase: str | None = None
    description: str = ""
    sensitive: bool = False


class KindOptions(_Part, frozen=True, kw_only=True):
    """See domain.declarations.EventKind. Fields left out keep those of Clew's own kind of that name."""

    verb: str | None = None
    description: str | None = None
    weight: float | None = None
    steps: tuple[tuple[float, float], ...] | None = None
    repeat: Literal["newest", "count"] | None = None
    hides_days: float | None = None
    fades: float | None = None


class Mapping(_Part, frozen=True, kw_only=True):
    source: SourceOptions
    events: tuple[Events, ...]
    items: tuple[Items, ...] = ()
    users: tuple[Users, ...] = ()
    entities: tuple[Entities, ...] = ()
    relations: tuple[Relations, ...] = ()
    entity_types: dict[str, EntityOptions] = {}
    relation_types: dict[str, RelationOptions] = {}
    event_kinds: dict[str, KindOptions] = {}


def columns_of(properties: tuple[str | Column, ...]) -> list[Column]:
    """The properties of a table; a bare name is a text column of that name."""
    return [Column(column=each) if isinstance(each, str) else each for each in properties]
