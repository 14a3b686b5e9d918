"""The exact split of one score, with every reason and its path."""

from dataclasses import dataclass, replace

import msgspec

from domain.answers import Explanation, Reason
from recommend.browser import address_of, statement_for
from recommend.choice import Choice
from recommend.context import context_grounds
from recommend.grounds import Ground, Split, Splitter
from recommend.ranking import Ranking
from recommend.reasons import Told, check, reason_of, with_rules
from recommend.subject import Subject
from recommend.verify import Verifier
from recommend.wording import Wording
from recommend.world import View

MOST_EXPLAINED = 20  # reasons with a path


@dataclass(frozen=True)
class Telling:
    """How an explanation is told. browser: address of Neo4j Browser; None: not known.

    has_witness: one of the others is named, for an admin.
    """

    words: Wording
    browser: str | None = None
    has_witness: bool = False


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
    split = with_rules(splitter.split(item_row), choice.rules_part, item_row)
    grounds = [*_strongest(split), *context_grounds(view, subject, item_row)]
    told = [Told.of(ground, telling.words) for ground in grounds]
    check([one for one in told if one.draft is not None], verifier)
    reasons = [_shown(one, reason_of(one, split.positive), telling) for one in told if not one.is_gone]
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


def _strongest(split: Split) -> list[Ground]:
    """The strongest grounds with a path, both kinds where there are both; then those without."""
    with_path = [ground for ground in split.grounds if ground.has_path]
    chosen = with_path[:MOST_EXPLAINED]
    if len({ground.code for ground in chosen}) == 1:
        chosen += [ground for ground in with_path[MOST_EXPLAINED:] if ground.code != chosen[0].code][:1]
    return chosen + [ground for ground in split.grounds if not ground.has_path]


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
