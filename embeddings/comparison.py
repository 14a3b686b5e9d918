"""Whether a new model may take the place of the one that serves: each is known by its own validation part."""

from collections.abc import Mapping
from pathlib import Path

from domain.errors import DamagedArtifact, WorseModel
from embeddings.artifact import Comparison, current_version, hold_back, read_manifest

WORSE = 0.95  # of the serving model's validation NDCG@10: below, a model is not published
LEAST_USERS = 20  # of a validation part: with fewer, a twentieth of NDCG is chance
NDCG, RECALL = "validation_ndcg@10", "validation_recall@10"
NUM_USERS = "validation_users"


def compare(metrics: Mapping[str, float], models_dir: Path) -> Comparison:
    """A new model's metrics with those of the one that serves now."""
    current = current_version(models_dir)
    if current is None:
        return Comparison(None, "not compared", "the first model: there is no other to compare it with")
    try:
        serving = read_manifest(models_dir / current).metrics
    except DamagedArtifact:
        return Comparison(current, "not compared", f"not compared with {current}, which is damaged")
    for whose, found in (("it", metrics), (current, serving)):
        why = _too_little(found)
        if why is not None:
            text = f"not compared with {current}: {whose} was validated on {why}"
            return Comparison(current, "not compared", text)
    verdict = "worse" if metrics[NDCG] < WORSE * serving[NDCG] else "as good"
    text = f"validation NDCG@10 {metrics[NDCG]:.4f}; that of {current}, which served, was {serving[NDCG]:.4f}"
    return Comparison(current, verdict, text)


def refuse_worse(version: str, comparison: Comparison, models_dir: Path) -> None:
    """Holds a version back that is worse than the one that serves. Raises: WorseModel then."""
    if comparison.verdict != "worse":
        return
    hold_back(models_dir, version, comparison.text)
    raise WorseModel(
        f"the new model {version} is held back: {comparison.text}. Look at the data that came since; "
        f"`clew models publish {version}` has it serve all the same, as `clew train --force` does with the next one"
    )


def _too_little(metrics: Mapping[str, float]) -> str | None:
    """Why a model's validation figures say nothing; None where they do. Models of Clew 0.1 do not tell their users."""
    if NDCG not in metrics:
        return "nobody, as no user has events enough to hold some out"
    if metrics.get(NUM_USERS, LEAST_USERS) < LEAST_USERS:
        return f"{metrics[NUM_USERS]:.0f} users, and {LEAST_USERS} are needed to tell models apart"
    return None
