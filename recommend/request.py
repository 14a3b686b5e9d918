"""What a caller asks for: one frozen request, checked when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from domain.errors import InvalidRequest
from domain.ids import clean_id
from recommend.words import words_of

MAX_N = 1000
MAX_ITEM_IDS = 1000
MAX_SESSION = 1000
MAX_PREFERENCES = 100
MAX_WITHOUT = 100
MAX_TEXT = 256
DEFAULT_N = 10


@dataclass(frozen=True)
class SessionEvent:
    """An event of a visitor that is used for this answer and never stored.

    kind None: a plain "picked this", as strong as the strongest declared kind. at: milliseconds UTC; None: in order.
    """

    item_id: str
    kind: str | None = None
    value: float | None = None
    at: int | None = None


@dataclass(frozen=True)
class Preference:
    """A stated taste. weight: above 0, relative to the other tastes of the request."""

    entity_id: str
    weight: float = 1.0


@dataclass(frozen=True)
class MaxPerEntity:
    """At most `most` items of each entity of a type. type: the label, such as Director."""

    type: str
    most: int


@dataclass(frozen=True, kw_only=True)
class RecommendRequest:
    """Exactly one of user_id, session and preferences.

    n: list length; None: 10, or all of item_ids. item_ids: rank just these (duplicates count once).
    filter: `{"field", "op", "value"}` or `{"and": [...]}`, `{"or": [...]}`, `{"not": ...}`; see recommend.filter.
    context_item_id: the item being looked at: weighs as one more event of the strongest kind, happening now.
    query: only items that this text finds. placement: where the list is shown, for rules that ask for it.
    diversity: 0 the best items, 1 items as unlike each other as can be. calibration: 0 the best items, 1 a list with
    the same mix as the user's own items. max_per_entity: not with item_ids, of which none is left out.
    strict: an unknown user is UnknownUser instead of a popular list. reasons: False leaves reasons out (faster).
    lang: of the reasons. without: ids of entities and of the user's events: the list as if they were not there.

    Raises: InvalidRequest naming the field; InvalidId for an id that breaks the rules of domain.ids.
    """

    user_id: str | None = None
    session: tuple[SessionEvent, ...] | None = None
    preferences: tuple[Preference, ...] | None = None
    n: int | None = None
    item_ids: tuple[str, ...] | None = None
    exclude_seen: bool = True
    item_kind: str | None = None
    filter: Mapping[str, object] | None = None
    context_item_id: str | None = None
    query: str | None = None
    placement: str | None = None
    diversity: float | None = None
    calibration: float | None = None
    max_per_entity: MaxPerEntity | None = None
    strict: bool = False
    reasons: bool = True
    lang: str = "en"
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_subject(self)
        if self.n is not None and not 1 <= self.n <= MAX_N:
            raise InvalidRequest(f"n must be 1 to {MAX_N}, not {self.n}", field="n")
        if self.item_ids is not None:
            _check_length(self.item_ids, MAX_ITEM_IDS, "item_ids")
            unique = dict.fromkeys(clean_id(item_id, field="item_ids") for item_id in self.item_ids)
            object.__setattr__(self, "item_ids", tuple(unique))
        _check_shape(self)
        object.__setattr__(self, "without", _clean_without(self.without))
        for name in ("user_id", "context_item_id"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, clean_id(value, field=name))

    @property
    def length(self) -> int:
        """How many items the list may have."""
        if self.n is not None:
            return self.n
        return DEFAULT_N if self.item_ids is None else MAX_ITEM_IDS


def _check_shape(request: RecommendRequest) -> None:
    for name in ("diversity", "calibration"):
        value: float | None = getattr(request, name)
        if value is not None and not 0 <= value <= 1:
            raise InvalidRequest(f"{name} is 0 to 1, not {value}", field=name)
    if request.query is not None and not words_of(request.query[: MAX_TEXT + 1]):
        raise InvalidRequest("a query has at least one word", field="query")
    for name in ("query", "placement"):
        text: str | None = getattr(request, name)
        if text is not None and not 1 <= len(text) <= MAX_TEXT:
            raise InvalidRequest(f"{name} has 1 to {MAX_TEXT} characters", field=name)
    if request.max_per_entity is not None and request.max_per_entity.most < 1:
        raise InvalidRequest("max_per_entity lets through one item at least", field="max_per_entity")
    if request.item_ids is not None and (request.max_per_entity is not None or request.query is not None):
        field = "query" if request.query is not None else "max_per_entity"
        raise InvalidRequest(f"{field} would leave out asked-for items; give it, or item_ids", field=field)


@dataclass(frozen=True, kw_only=True)
class ExplainRequest:
    """Why an item, for a stored user. lang: of the reasons. n: length of the list that the rank is of.

    without: ids of entities and of the user's events; the answer is as if they were not there.
    has_counterfactual: look for the fewest of the user's items without which the item is not in the list.
    has_witness: name one of the others of a behavioural path; for admins.

    Raises: InvalidRequest naming the field; InvalidId.
    """

    user_id: str
    item_id: str
    lang: str = "en"
    n: int = DEFAULT_N
    without: tuple[str, ...] = ()
    has_counterfactual: bool = False
    has_witness: bool = False

    def __post_init__(self) -> None:
        for name in ("user_id", "item_id"):
            object.__setattr__(self, name, clean_id(getattr(self, name), field=name))
        if not 1 <= self.n <= MAX_N:
            raise InvalidRequest(f"n must be 1 to {MAX_N}, not {self.n}", field="n")
        object.__setattr__(self, "without", _clean_without(self.without))

    @property
    def listing(self) -> RecommendRequest:
        """The list that the rank is of."""
        return RecommendRequest(user_id=self.user_id, n=self.n, lang=self.lang, without=self.without, strict=True)


def _clean_without(ids: tuple[str, ...]) -> tuple[str, ...]:
    _check_length(ids, MAX_WITHOUT, "without")
    return tuple(dict.fromkeys(clean_id(one, field="without") for one in ids))


def _check_subject(request: RecommendRequest) -> None:
    named = [name for name in ("user_id", "session", "preferences") if getattr(request, name) is not None]
    if len(named) != 1:
        given = " and ".join(named) or "none of them"
        raise InvalidRequest(f"give exactly one of user_id, session and preferences; got {given}", field="user_id")
    if request.session is not None:
        _check_length(request.session, MAX_SESSION, "session", least=1)
        for event in request.session:
            clean_id(event.item_id, field="session")
    if request.preferences is not None:
        _check_length(request.preferences, MAX_PREFERENCES, "preferences", least=1)
        for preference in request.preferences:
            clean_id(preference.entity_id, field="preferences")
            if not (isfinite(preference.weight) and preference.weight > 0):
                raise InvalidRequest(f"weight must be above 0, not {preference.weight}", field="preferences")


def _check_length(values: tuple[object, ...], most: int, name: str, *, least: int = 0) -> None:
    if not least <= len(values) <= most:
        raise InvalidRequest(f"{name} takes {least} to {most} entries, got {len(values)}", field=name)
