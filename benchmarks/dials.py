"""What the dials of a list cost and give: accuracy against diversity and calibration, on ML-100K with its graph.

    python -m benchmarks.dials [--cache .clew/cache] [--splits ../shared/data/ml-100k-splits] [--users N]

Ratings of 4 and 5, the served model trained on A.train. Each setting makes the lists of ten anew, as serving does:
on A.valid, where the advice is chosen, and on A.test, without what A.valid has. Diversity is one less the mean cosine
of a list's pairs, by the entities that items share: not by the vectors that the dial goes by. The calibration error is
KL(the user's own mix ‖ the list's), Steck 2018. Writes benchmarks/results/dials.json and docs/images/dials.svg.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_demos import Masks, demo_snapshot, group, movies_split, read_pairs
from embeddings.artifact import load_artifact
from embeddings.train import train
from recommend.catalogue import Catalogue
from recommend.diversify import Diversity, Mix, divergence, entity_vectors, mix_of, sorting_type
from recommend.evaluate.beyond import catalogue_coverage, intra_list_diversity
from recommend.evaluate.metrics import bootstrap_difference, hit_matrix, ndcg
from recommend.history import Histories
from recommend.placing import Wishes, place
from recommend.score import Scorer
from recommend.steering import Cap

matplotlib.use("svg")
from matplotlib import pyplot as plt  # the backend is chosen first

matplotlib.rcParams.update({"svg.hashsalt": "clew", "svg.fonttype": "none", "font.size": 9})
ROOT = Path(__file__).parents[1]
RESULT, PLOT = ROOT / "benchmarks" / "results" / "dials.json", ROOT / "docs" / "images" / "dials.svg"
N = 10
DIALS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)
CAPS = (5, 4, 3, 2, 1)
PARTS = ("valid", "test")
SHOWN = ("ndcg@10", "diversity", "calibration_error", "coverage")
MAY_COST = 0.01  # of NDCG, on the validation part: the advice is the strongest setting up to which none costs more


@dataclass(frozen=True)
class Setting:
    """One dial at one value. cap: (label of an entity type, at most), or None."""

    name: str
    value: float
    diversity: float = 0.0
    calibration: float = 0.0
    cap: tuple[str, int] | None = None


@dataclass(frozen=True)
class Asked:
    """A user with something to find. scores (I,), allowed rows, mix None: nothing to be like."""

    scores: NDArray[np.float64]
    allowed: NDArray[np.int64]
    mix: Mix | None
    targets: NDArray[np.int64]


Values = dict[str, NDArray[np.float64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(".clew/cache"))
    parser.add_argument("--splits", type=Path, default=Path("../shared/data/ml-100k-splits"))
    parser.add_argument("--users", type=int, help="only so many; default: all who have something to find")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.cache.mkdir(parents=True, exist_ok=True)
    snapshot = demo_snapshot("movies", asked.cache)
    split, _ = movies_split(snapshot, asked.splits, "valid")
    with tempfile.TemporaryDirectory() as folder:
        trained = train(split.train, Path(folder), seed=asked.seed)
        scorer, catalogue = Scorer(load_artifact(Path(folder), trained.version)), Catalogue.of(split.train)
        valid, test = (group(read_pairs(snapshot, asked.splits / f"A.{part}.tsv"), len(catalogue)) for part in PARTS)
        histories = Histories(split.train.interactions, len(split.train.user_ids))
        settings = [Setting("off", 0.0), *_settings(catalogue)]
        parts = {
            "valid": _measured(
                catalogue, scorer, settings, _asked(catalogue, scorer, histories, valid, {}, asked.users)
            ),
            "test": _measured(
                catalogue, scorer, settings, _asked(catalogue, scorer, histories, test, valid, asked.users)
            ),
        }
    result: dict[str, Any] = {
        "command": "python -m benchmarks.dials" + (f" --users {asked.users}" if asked.users else ""),
        "mix_type": split.train.declaration.entity_types[sorting_type(catalogue) or 0].label,
        "seed": asked.seed,
        **{part: {"users": users, "rows": rows} for part, (users, rows) in parts.items()},
        "advice": _advice(parts["valid"][1]),
        "machine": {"processor": platform.machine(), "python": platform.python_version()},
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    draw(result, PLOT)
    for row in result["test"]["rows"]:
        print(f"{row['dial']:14} {row['value']:4g}  " + "  ".join(f"{name} {row[name]:.4f}" for name in SHOWN))
    print(f"advice: {result['advice']}")


def _settings(catalogue: Catalogue) -> Iterator[Setting]:
    yield from (Setting("diversity", value, diversity=value) for value in DIALS)
    yield from (Setting("calibration", value, calibration=value) for value in DIALS)
    types = catalogue.declaration.entity_types
    for label in (types[sorting_type(catalogue) or 0].label, "Person"):
        if label in {kind.label for kind in types}:
            yield from (Setting(f"cap {label}", most, cap=(label, most)) for most in CAPS)


def _asked(
    catalogue: Catalogue, scorer: Scorer, histories: Histories, targets: Masks, left_out: Masks, most: int | None
) -> list[Asked]:
    found: list[Asked] = []
    for user, wanted in list(targets.items())[:most]:
        weighted = scorer.weigh(histories[user])
        allowed = catalogue.available.copy()
        allowed[histories[user].item_rows] = False
        allowed[left_out.get(user, np.empty(0, np.int64))] = False
        pairs = zip(weighted.item_rows.tolist(), weighted.weights.tolist(), strict=True)
        mix = mix_of(catalogue, {row: weight for row, weight in pairs if weight > 0})
        scores = scorer.score(weighted).total.astype(np.float64)
        found.append(Asked(scores, np.flatnonzero(allowed), mix, wanted))
    return found


def _measured(
    catalogue: Catalogue, scorer: Scorer, settings: list[Setting], users: list[Asked]
) -> tuple[int, list[dict[str, Any]]]:
    """How many users, and one row per setting; the first setting is what the others are compared with."""
    found = [(setting, *_values(catalogue, scorer, setting, users)) for setting in settings]
    off = found[0][1]["ndcg@10"]
    rows: list[dict[str, Any]] = []
    for setting, values, coverage in found:
        difference, low, high = bootstrap_difference(values["ndcg@10"], off)
        means = {name: round(float(np.nanmean(each)), 5) for name, each in values.items()}
        change = [round(each / float(off.mean()), 5) for each in (difference, low, high)]
        rows.append(
            {
                "dial": setting.name,
                "value": setting.value,
                **means,
                "coverage": round(coverage, 4),
                "ndcg_change": change,
            }
        )
    return len(users), rows


def _values(catalogue: Catalogue, scorer: Scorer, setting: Setting, users: list[Asked]) -> tuple[Values, float]:
    """Name -> value per user; and the share of the catalogue that is in any list."""
    lists = [_list(catalogue, scorer, setting, user) for user in users]
    hits, wanted = hit_matrix(lists, [set(user.targets.tolist()) for user in users], N)
    padded = np.full((len(lists), N), -1, np.int64)
    for row, each in enumerate(lists):
        padded[row, : len(each)] = each
    mixes = [np.nan if user.mix is None else _error(user.mix, rows) for user, rows in zip(users, lists, strict=True)]
    values = {
        "ndcg@10": ndcg(hits, wanted, N),
        "diversity": intra_list_diversity(padded, entity_vectors(catalogue)),
        "calibration_error": np.array(mixes),
        "length": np.array([len(each) for each in lists], np.float64),
    }
    return values, catalogue_coverage(padded, len(catalogue))


def _list(catalogue: Catalogue, scorer: Scorer, setting: Setting, user: Asked) -> tuple[int, ...]:
    caps = () if setting.cap is None else (Cap(catalogue.declaration.entity_code[setting.cap[0]], setting.cap[1]),)
    turned = setting.diversity > 0 or setting.calibration > 0
    dials = Diversity(setting.diversity, setting.calibration, scorer.item_vectors, user.mix) if turned else None
    return place(catalogue, user.scores, user.allowed, N, Wishes(caps=caps, diversity=dials)).rows


def _error(mix: Mix, rows: tuple[int, ...]) -> float:
    """KL(own ‖ the list's): items without an entity of the type take no part in the list's mix."""
    listed = np.asarray(mix.shares[list(rows)].sum(axis=0), np.float64).ravel()
    whole = listed.sum()
    return float(divergence(mix.own, (listed / whole if whole > 0 else listed)[None, :])[0])


def _advice(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Per dial the strongest setting up to which none costs more than MAY_COST."""
    advice: dict[str, float] = {}
    for dial in dict.fromkeys(row["dial"] for row in rows[1:]):
        for row in (each for each in rows if each["dial"] == dial):
            if row["ndcg_change"][0] < -MAY_COST:
                break
            advice[dial] = row["value"]
    return advice


def draw(result: dict[str, Any], file: Path) -> None:
    """Accuracy on the test part against diversity, and against the calibration error."""
    figure, both = plt.subplots(1, 2, figsize=(9.6, 4.0), layout="constrained", sharey=True)
    rows = result["test"]["rows"]
    for axes, measure, label in (
        (both[0], "diversity", "intra-list diversity, by entities"),
        (both[1], "calibration_error", f"calibration error (KL, {result['mix_type']}), less is nearer"),
    ):
        for dial in dict.fromkeys(row["dial"] for row in rows[1:]):
            points = [rows[0], *(row for row in rows if row["dial"] == dial)]
            axes.plot([p[measure] for p in points], [p["ndcg@10"] for p in points], "o-", ms=3, lw=1, label=dial)
            for point in points[1:]:
                axes.annotate(
                    f"{point['value']:g}",
                    (point[measure], point["ndcg@10"]),
                    fontsize=6,
                    xytext=(2, 2),
                    textcoords="offset points",
                )
        axes.plot(rows[0][measure], rows[0]["ndcg@10"], "k*", ms=9, label="off")
        axes.set(xlabel=label)
        axes.grid(alpha=0.3)
    both[0].set(ylabel="NDCG@10, test")
    both[1].invert_xaxis()
    both[0].legend(fontsize=7)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
