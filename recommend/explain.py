"""Reasons for what is shown, checked in Neo4j in one question; and the exact split of one score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.answers import Explanation, Path, Reason
from recommend.browser import statement_for
from recommend.drafts import DraftPath
from recommend.grounds import Ground, Split, Splitter
from recommend.ranking import Ranking, rank_of, share_of
from recommend.subject import Subject
from recommend.verify import Verifier
from recommend.world import View

WEAK_BELOW = 0.15
MOST_REASONS = 3  # with a path, per item of a list
SPARE_REASONS = 2  # looked up beside those, in case an edge is gone from the graph
LEAST_SHARE = 0.02  # below this, only the strongest reason is told
MOST_EXPLAINED = 20  # reasons of one explanation


@dataclass(frozen=True)
class Told:
    """A ground put into words. path: None for a ground without one."""

    ground: Ground
    text: str
    draft: DraftPath | None
    path: Path | None = None


def reasons_for_list(splitter: Splitter, item_rows: Sequence[int], verifier: Verifier) -> list[tuple[Reason, ...]]:
    """Reasons of each item: up to three with a path, then what else explains 15 % or more.

    The strongest reason with a path is given whenever there is one, marked weak below 15 %. All paths are checked in
    one question; a path with an edge that is gone from Neo4j is not shown.
    """
    splits = [splitter.split(row) for row in item_rows]
    told = _true([_told(split, MOST_REASONS + SPARE_REASONS) for split in splits], verifier)
    return [_chosen([_reason(one, split.positive) for one in item]) for split, item in zip(splits, told, strict=True)]


def explain(
    view: View,
    subject: Subject,
    ranking: Ranking,
    splitter: Splitter,
    item_row: int,
    verifier: Verifier,
    *,
    now_ms: int,
) -> Explanation:
    """The exact split of one item's score for a stored user. cypher shows the first path that is true."""
    split = splitter.split(item_row)
    told = _true([_told(split, MOST_EXPLAINED)], verifier)[0]
    drafts = [one.draft for one in told if one.draft is not None]
    return Explanation(
        user_id=subject.user_id or "",
        item_id=view.catalogue.item_ids[item_row],
        name=view.catalogue.item_names[item_row],
        score=float(ranking.total[item_row]),
        rank=rank_of(view, subject, ranking, item_row, now_ms),
        strategy=ranking.strategy,
        model_version=view.model_version,
        parts=ranking.parts_of(item_row, split.positive),
        contributions=split.contributions(),
        reasons=tuple(_reason(one, split.positive) for one in told),
        cypher=statement_for(drafts[0]) if drafts else None,
    )


def _told(split: Split, most: int) -> list[Told]:
    """The strongest grounds with a path, then those without."""
    with_path = [ground for ground in split.grounds if ground.has_path]
    chosen = with_path[:most]
    if len({ground.code for ground in chosen}) == 1:  # both kinds of true path, where there are both
        chosen += [ground for ground in with_path[most:] if ground.code != chosen[0].code][:1]
    chosen += [ground for ground in split.grounds if not ground.has_path]
    return [Told(ground, *ground.tell()) for ground in chosen]


def _true(lists: list[list[Told]], verifier: Verifier) -> list[list[Told]]:
    """The same lists with checked paths, without those whose path is not true any more."""
    paths = iter(verifier.check([one.draft for told in lists for one in told if one.draft is not None]))
    checked = [[one if one.draft is None else replace(one, path=next(paths)) for one in told] for told in lists]
    return [[one for one in told if one.draft is None or one.path is not None] for told in checked]


def _reason(told: Told, positive: float) -> Reason:
    share = share_of(told.ground.value, positive)
    return Reason(
        code=told.ground.code,
        text=told.text,
        share=share,
        path=told.path,
        more_paths=told.ground.more_paths,
        events=told.ground.events,
        weak=share < WEAK_BELOW,
    )


def _told_apart(reasons: Sequence[Reason]) -> list[Reason]:
    """Without those that read like one before: two writers without a name are told the same way."""
    return list({reason.text: reason for reason in reversed(reasons)}.values())[::-1]


def _chosen(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """What is shown of one item's reasons, which come strongest first, those with a path before the others."""
    with_path = _told_apart([reason for reason in reasons if reason.path is not None])
    shown = with_path[:1] + [reason for reason in with_path[1:MOST_REASONS] if reason.share >= LEAST_SHARE]
    if shown and len({reason.code for reason in shown}) == 1:
        other = [reason for reason in with_path if reason.code != shown[0].code and reason.share >= LEAST_SHARE]
        shown = [*shown[: MOST_REASONS - 1], *other[:1]] if other else shown
    without = [reason for reason in reasons if reason.path is None]
    told = [reason for reason in without if not reason.weak]
    return (*shown, *(told if shown or told else without[:1]))
