"""Reasons for what is shown, checked in Neo4j in one question; and the exact split of one score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.answers import Explanation, Path, Reason
from recommend.browser import address_of, statement_for
from recommend.choice import Choice
from recommend.context import context_grounds
from recommend.drafts import DraftPath
from recommend.grounds import Ground, Split, Splitter
from recommend.ranking import Ranking, share_of
from recommend.subject import Subject
from recommend.verify import Verifier
from recommend.wording import Wording
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


@dataclass(frozen=True)
class Telling:
    """How an explanation is told. browser: address of Neo4j Browser; None: not known.

    has_witness: one of the others is named, for an admin.
    """

    words: Wording
    browser: str | None = None
    has_witness: bool = False


def reasons_for_list(
    splitter: Splitter,
    item_rows: Sequence[int],
    verifier: Verifier,
    words: Wording,
    rules_part: NDArray[np.float32] | None = None,
) -> list[tuple[Reason, ...]]:
    """Reasons of each item: up to three with a path, then what else explains 15 % or more.

    The strongest reason with a path is given whenever there is one, marked weak below 15 %. All paths are checked in
    one question; a path with an edge that is gone from Neo4j is not shown.
    """
    splits = [_with_rules(splitter.split(row), rules_part, row) for row in item_rows]
    told = _true([_told(split, MOST_REASONS + SPARE_REASONS, words) for split in splits], verifier)
    return [_chosen([_reason(one, split.positive) for one in item]) for split, item in zip(splits, told, strict=True)]


def explain(
    view: View,
    subject: Subject,
    ranking: Ranking,
    choice: Choice,
    splitter: Splitter,
    item_row: int,
    verifier: Verifier,
    telling: Telling,
) -> Explanation:
    """The exact split of one item's score. cypher shows the first path that is true."""
    split = _with_rules(splitter.split(item_row), choice.rules_part, item_row)
    grounds = [Told(ground, *ground.tell(telling.words)) for ground in context_grounds(view, subject, item_row)]
    told = _true([_told(split, MOST_EXPLAINED, telling.words), grounds], verifier)
    reasons = [_shown(one, _reason(one, split.positive), telling) for one in (*told[0], *told[1])]
    shown = ranking
    if choice.rules_part is not None:
        shown = replace(ranking, parts={**ranking.parts, "rules": choice.rules_part})
    parts, contributions = shown.parts_of(item_row, split.positive), split.contributions(split.positive)
    terms = sum(part.value for part in parts if part.name in ("entity", "behaviour")) if contributions else 0.0
    return Explanation(
        user_id=subject.user_id,
        item_id=view.catalogue.item_ids[item_row],
        name=view.catalogue.item_names[item_row],
        score=float(choice.scores[item_row]),
        rank=place_of(choice, item_row),
        strategy=ranking.strategy,
        model_version=view.model_version,
        parts=parts,
        contributions=contributions,
        unlisted=terms - sum(one.value for one in contributions),
        reasons=tuple(reasons),
        cypher=next((reason.cypher for reason in reasons if reason.cypher), None),
        lang=telling.words.language,
        rules=choice.effects.get(item_row, ()),
    )


def place_of(choice: Choice, item_row: int) -> int | None:
    """The rank of an item in the list, or where it would come behind it; None for one that may not be shown."""
    if item_row in choice.item_rows:
        return choice.place_of(item_row)
    if item_row not in choice.allowed_rows:
        return None
    return max(choice.place_of(item_row), 1 + len(choice.item_rows))


def _with_rules(split: Split, rules_part: NDArray[np.float32] | None, item_row: int) -> Split:
    """The split with what rules add to the score as one more positive term."""
    value = 0.0 if rules_part is None else float(rules_part[item_row])
    if value <= 0:
        return split
    ground = Ground("rules", value, lambda words: (words.say("rules"), None), has_path=False)
    return replace(split, positive=split.positive + value, grounds=(*split.grounds, ground))


def _told(split: Split, most: int, words: Wording) -> list[Told]:
    """The strongest grounds with a path, then those without."""
    with_path = [ground for ground in split.grounds if ground.has_path]
    chosen = with_path[:most]
    if len({ground.code for ground in chosen}) == 1:  # both kinds of true path, where there are both
        chosen += [ground for ground in with_path[most:] if ground.code != chosen[0].code][:1]
    chosen += [ground for ground in split.grounds if not ground.has_path]
    return [Told(ground, *ground.tell(words)) for ground in chosen]


def _true(lists: list[list[Told]], verifier: Verifier) -> list[list[Told]]:
    """The same lists with checked paths, without those whose path is not true any more."""
    paths = iter(verifier.check([one.draft for told in lists for one in told if one.draft is not None]))
    checked = [[one if one.draft is None else replace(one, path=next(paths)) for one in told] for told in lists]
    return [[one for one in told if one.draft is None or one.path is not None] for told in checked]


def _reason(told: Told, positive: float) -> Reason:
    share = share_of(told.ground.value, positive)
    is_context = told.ground.code == "context"
    return Reason(
        code=told.ground.code,
        text=told.text,
        share=share,
        path=told.path,
        more_paths=told.ground.more_paths,
        events=told.ground.events,
        weak=share < WEAK_BELOW and not is_context,
        context=is_context,
    )


def _shown(told: Told, reason: Reason, telling: Telling) -> Reason:
    """The reason with what opens its path in Neo4j Browser, and with a witness where one is asked for."""
    if told.draft is None or reason.path is None:
        return reason
    path = reason.path
    if telling.has_witness and told.draft.witness is not None:
        nodes = [
            node if node.count is None else msgspec.structs.replace(node, witness=told.draft.witness)
            for node in path.nodes
        ]
        path = msgspec.structs.replace(path, nodes=tuple(nodes))
    statement = statement_for(told.draft)
    url = None if telling.browser is None else address_of(telling.browser, statement)
    return msgspec.structs.replace(reason, path=path, cypher=statement, browser_url=url)


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
