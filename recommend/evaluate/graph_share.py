"""How much of what the item-item model says about the served lists flows through shared entities.

    share = Σ min(B0_hi, B_hi)⁺ w_h / Σ B_hi⁺ w_h

over the users' events h of positive weight w_h and the items i of their lists, with B = B0 + R: a prior that the
residual takes back counts only for what is left of it. Dense relations reach some share whatever they say, so the
figure to report is net of a control: the same model trained on a graph whose items were permuted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from recommend.history import Histories
from recommend.score import Scorer

Lists = Mapping[int, NDArray[np.int64]]  # user row -> item rows, best first


@dataclass(frozen=True)
class GraphShare:
    """share: 0 to 1. by_relation: relation type -> its part of it; where several cover one pair, by their terms."""

    share: float
    by_relation: dict[str, float]

    def of(self, relations: frozenset[str]) -> float:
        """The part of the share that flows through these relation types."""
        return sum(part for name, part in self.by_relation.items() if name in relations)

    def net_of(self, control: "GraphShare") -> "GraphShare":
        """The share that the control does not have; by relation too."""
        names = self.by_relation.keys() | control.by_relation.keys()
        parts = {name: self.by_relation.get(name, 0.0) - control.by_relation.get(name, 0.0) for name in sorted(names)}
        return GraphShare(self.share - control.share, parts)


def graph_share(scorer: Scorer, snapshot: Snapshot, lists: Lists) -> GraphShare:
    """The share over these lists, of users whose events are the snapshot's. Without any positive term: 0."""
    histories = Histories(snapshot.interactions, len(snapshot.user_ids))
    covered = np.zeros(len(snapshot.declaration.relation_types))
    total = 0.0
    for user_row, items in lists.items():
        weighted = scorer.weigh(histories[user_row])
        liked = weighted.weights > 0
        for item_row in items.tolist():
            terms = scorer.entity_columns(weighted, item_row)
            prior = np.zeros(len(scorer.item_ids))
            np.add.at(prior, terms.event_item_rows, terms.values)
            behaviour = np.zeros_like(prior)
            behaviour[weighted.item_rows[liked]] = scorer.behaviour_terms(weighted, item_row)[liked]
            rows = weighted.item_rows[liked]
            whole = prior[rows] + behaviour[rows]
            total += float(np.maximum(whole, 0).sum())
            kept = np.zeros_like(prior)
            kept[rows] = np.divide(
                np.clip(np.minimum(prior[rows], whole), 0, None),
                prior[rows],
                out=np.zeros(len(rows)),
                where=prior[rows] > 0,
            )
            np.add.at(covered, terms.relation_codes, terms.values * kept[terms.event_item_rows])
    parts = covered / total if total > 0 else covered
    names = [kind.type for kind in snapshot.declaration.relation_types]
    return GraphShare(float(parts.sum()), {name: float(part) for name, part in zip(names, parts, strict=True) if part})


def with_items_permuted(snapshot: Snapshot, *, seed: int) -> Snapshot:
    """The control: every item gets all the relations to entities of another one. Interactions stay as they are."""
    order = np.random.default_rng(seed).permutation(len(snapshot.item_ids)).astype(np.int32)
    relations = tuple(
        replace(relation, heads=order[relation.heads])
        if (relation.head_kind, relation.tail_kind) == ("item", "entity")
        else relation
        for relation in snapshot.relations
    )
    return replace(snapshot, relations=relations)


def without_graph(snapshot: Snapshot) -> Snapshot:
    """The other control: no relations from items to entities."""
    kept = (one for one in snapshot.relations if (one.head_kind, one.tail_kind) != ("item", "entity"))
    return replace(snapshot, relations=tuple(kept))
