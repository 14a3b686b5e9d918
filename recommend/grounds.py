"""What a score rests on: each ground is an exact amount of it, with the text and the path that tell it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from domain.answers import Contribution
from recommend.drafts import DraftPath
from recommend.wording import Wording

WEAK_BELOW = 0.15  # share of the positive terms
LEAST_SHARE = 0.02  # below this, only the strongest reason is told

Tell = Callable[[Wording], tuple[str, DraftPath | None]]


class Ground(Struct, frozen=True):
    """An amount of one item's score. tell: text and path, made only for what is shown.

    code: as in a Reason. events: how many of the user's events it covers; entities: how many that both items have.
    more_paths: beside the one shown.
    degree: of the entity, for equal amounts: what is rarer is told first.
    """

    code: str
    value: float
    tell: Tell
    has_path: bool
    events: int = 1
    entities: int = 1
    more_paths: int = 0
    degree: int = 0


@dataclass(frozen=True)
class Split:
    """One score in pieces. positive: the sum of its positive terms, of which shares are a share.

    grounds: strongest first. contributions: every term; called with what their shares are a share of.
    """

    positive: float
    grounds: tuple[Ground, ...]
    contributions: Callable[[float], tuple[Contribution, ...]]


def no_contributions(_: float) -> tuple[Contribution, ...]:
    """For scores that have no terms of single events."""
    return ()


class Splitter(Protocol):
    """Splits the score of one item, exactly."""

    def split(self, item_row: int) -> Split: ...


def strongest(grounds: Sequence[Ground]) -> tuple[Ground, ...]:
    """The larger amount first; of amounts that differ by less than a thousandth of it the rarer entity."""
    most = max((ground.value for ground in grounds), default=0.0) or 1.0
    return tuple(sorted(grounds, key=lambda g: (-round(g.value / most, 3), g.degree, -g.value)))
