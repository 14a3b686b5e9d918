"""What an erasure answers: store by store, what was held of a person and when it is gone."""

import msgspec

GONE_NOW, GONE_BY = "gone now", "gone by"


class ErasedFrom(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One store. state: "gone now", or "gone by" with `by`, a time (ISO 8601 in UTC) or what has to happen first.

    removed: how many things of the person were there (records, answers, relations …); None: they were not counted.
    """

    store: str
    state: str
    by: str | None = None
    removed: int | None = None


class ErasureReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """erased_at: ISO 8601 in UTC, the first time. Ask again at GET /v1/users/{user_id}/erasure: states move on."""

    user_id: str
    erased_at: str
    stores: tuple[ErasedFrom, ...]
