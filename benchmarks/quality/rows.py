"""The table of the quality bench: which command on which data, for which figure."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.quality import data

PEERS = (
    "popular", "item-cosine", "item-pearson", "user-cosine", "user-pearson", "ease", "edlae", "ials", "lightgcn",
    "encoder", "graph-prior",
)  # fmt: skip
WITH_GRAPH = ("content", "ease-kg")
BY_CHANCE = ("fused", "ials", "lightgcn", "encoder")  # their figures are means over seeds
SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Row:
    """One row: `clew bench <command>`, or a script of this folder ("share", "speed").

    ks: the cut-offs that are reported; headline: the metrics that published figures on the data name.
    """

    name: str
    title: str
    options: Callable[[], data.Options | None]
    command: str
    scorer: str = "fused"
    ks: tuple[int, ...] = (10, 20)
    headline: tuple[str, ...] = ("recall@10", "ndcg@10")

    @property
    def seeds(self) -> tuple[int, ...]:
        """A control or a held-out part is drawn once; ranking is repeated where it depends on chance."""
        return SEEDS if self.command == "rank" and self.scorer in BY_CHANCE else SEEDS[:1]


@dataclass(frozen=True)
class DataSet:
    name: str
    title: str
    options: Callable[[], data.Options | None]
    scorers: tuple[str, ...]
    headline: tuple[str, ...]

    def rows(self) -> list[Row]:
        return [
            Row(f"{self.name}.{scorer}", self.title, self.options, "rank", scorer, headline=self.headline)
            for scorer in self.scorers
        ]


DATA_SETS = (
    DataSet("ml-100k", "ML-100K A (no graph)", data.ml_100k, ("fused", *PEERS), ("recall@10", "ndcg@10")),
    DataSet(
        "ml-100k-kg",
        "ML-100K A with its Freebase graph",
        data.ml_100k_graph,
        ("fused", "graph-prior", "encoder", *WITH_GRAPH),
        ("recall@10", "ndcg@10"),
    ),
    DataSet("lastfm", "Last.FM (LightKG)", data.lastfm, ("fused", *PEERS, *WITH_GRAPH), ("recall@10", "mrr@10")),
    DataSet("gowalla", "Gowalla", data.gowalla, ("fused", "popular", "item-cosine", "ials"), ("recall@20", "ndcg@20")),
    DataSet(
        "retail",
        "Retail demo, new products",
        data.retail,
        ("fused", "popular", "item-cosine", "user-cosine", "ease", "ials", "content"),
        ("recall@20", "ndcg@20"),
    ),
    DataSet(
        "online-retail",
        "UCI Online Retail, new products (nobody tuned for it)",
        data.online_retail,
        ("fused", "popular", "item-cosine", "user-cosine", "ease", "ials"),
        ("recall@10", "ndcg@10"),
    ),
)

COLD_ITEM_SCORERS = ("fused", "content", "ease-kg")
OTHERS = (
    *(
        Row(
            f"cold-items.ml-1m.{scorer}",
            "ML-1M (PathLM), a fifth of the items hidden",
            data.ml_1m,
            "cold-items",
            scorer,
        )
        for scorer in COLD_ITEM_SCORERS
    ),
    *(
        Row(f"cold-users.{name}.{scorer}", f"{name}, a fifth of the users hidden", options, "cold-users", scorer, (10,))
        for name, options in (("ml-100k-kg", data.ml_100k_graph), ("ml-1m", data.ml_1m), ("lastfm", data.lastfm))
        for scorer in ("fused", "ease")
    ),
    *(
        Row(f"kg-control.{name}", f"{name}, graph shuffled and without", options, "kg-control")
        for name, options in (("ml-100k-kg", data.ml_100k_graph), ("lastfm", data.lastfm), ("ml-1m", data.ml_1m))
    ),
    Row(
        "graph-share.ml-100k-kg",
        "ML-100K A, share of the lists that flows through the graph",
        data.ml_100k_graph,
        "share",
    ),
    Row("speed.ml-100k", "ML-100K A, ranking against training time", data.ml_100k, "speed"),
)
ROWS = (*(row for dataset in DATA_SETS for row in dataset.rows()), *OTHERS)


def chosen(names: list[str]) -> list[Row]:
    """The rows whose names begin with one of these; all without any. Raises: SystemExit for one that fits nothing."""
    for name in names:
        if not any(row.name.startswith(name) for row in ROWS):
            raise SystemExit(f"no row begins with {name!r}; there are: {', '.join(row.name for row in ROWS)}")
    return [row for row in ROWS if not names or any(row.name.startswith(name) for name in names)]
