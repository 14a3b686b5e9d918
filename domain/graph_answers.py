"""What a Cypher query of an analyst is answered with."""

import msgspec


class GraphAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in the order of the query, each as long as columns. truncated: there were more than the limit.

    Numbers, text, booleans, lists and maps are JSON's own; NaN and infinities are the texts "NaN", "Infinity",
    "-Infinity"; times and durations are ISO 8601 text, bytes base64 text. Others are objects with a `$type`: node
    (element_id, labels, properties), relationship (element_id, type, start, end, properties), path (nodes,
    relationships) and point (srid, x, y, z). A node shows its embedding only when a query asks for it by name.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    truncated: bool
    took_ms: float
