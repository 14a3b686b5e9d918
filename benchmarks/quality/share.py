"""The share of the served top 10 that flows through the graph, net of a graph whose items are permuted.

    python -m benchmarks.quality.share --train F --valid F --test F --kg F --link F

The model is tuned with the true graph; the control, and a model without a graph, are fitted with the same settings.
A relation is called specific when the entity of its median fact belongs to at most 2 % of the items (a director, not a
genre). no_loss: the lower end of the paired bootstrap interval is above −1 % of the NDCG of the model without a graph.
"""

import json

import numpy as np

from benchmarks.quality.fused import Asked, ndcg_of, served_lists, settings_of
from clew.bench_fused import Served
from domain.snapshot import Snapshot
from embeddings.features import item_features
from recommend.evaluate.graph_share import GraphShare, graph_share, with_items_permuted, without_graph
from recommend.evaluate.lists import Lists
from recommend.evaluate.metrics import bootstrap_difference

SPECIFIC = 0.02


def main() -> None:
    asked = Asked.parse(__doc__)
    case = asked.case
    tuned = asked.tune()
    settings = settings_of(tuned)
    graphs = {
        "true": case.train,
        "permuted": with_items_permuted(case.train, seed=asked.seed),
        "none": without_graph(case.train),
    }
    shares: dict[str, GraphShare] = {}
    values = {}
    for name, train in graphs.items():
        model = tuned if name == "true" else asked.fit(train, settings)
        served = Served.of(model, train)
        lists = served_lists(served, case)
        values[name] = ndcg_of(lists, case)
        shares[name] = graph_share(served.scorer, train, by_user(lists))
    specific = specific_relations(case.train)
    net = shares["true"].net_of(shares["permuted"])
    difference, low, high = bootstrap_difference(values["true"], values["none"])
    told = {
        "share": shares["true"].share,
        "share_permuted": shares["permuted"].share,
        "share_net": net.share,
        "specific_net": net.of(specific),
        "specific_relations": sorted(specific),
        "by_relation": shares["true"].by_relation,
        "ndcg@10": {name: float(each.mean()) for name, each in values.items()},
        "ndcg_gain": {"difference": difference, "low": low, "high": high},
        "no_loss": low > -0.01 * float(values["none"].mean()),
        "trials": tuned.settings["trials"],
    }
    print(json.dumps(told))


def by_user(lists: Lists) -> dict[int, np.ndarray]:
    return {int(user): items[items >= 0] for user, items in zip(lists.user_rows, lists.items, strict=True)}


def specific_relations(snapshot: Snapshot) -> frozenset[str]:
    features = item_features(snapshot)
    degrees = np.bincount(features.matrix.indices, minlength=len(features.relations))
    types = snapshot.declaration.relation_types
    found: set[str] = set()
    for code in np.unique(features.relations):
        own = degrees[features.relations == code]
        typical = np.median(np.repeat(own, own))
        if typical <= SPECIFIC * len(snapshot.item_ids):
            found.add(types[code].type)
    return frozenset(found)


if __name__ == "__main__":
    main()
