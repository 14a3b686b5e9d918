"""Every scorer that the bench knows by name, with the values that its search may set. Needs the extras train and bench.

Grids of the peers: the ranges that their papers and later reproductions searched, defaults in the middle.
"""

from domain.errors import InvalidRequest
from embeddings.scorers.content import fit_content
from embeddings.scorers.contract import ScorerKind
from embeddings.scorers.ease import fit_ease, fit_ease_with_attributes, fit_edlae
from embeddings.scorers.ials import fit_ials
from embeddings.scorers.lightgcn import fit_lightgcn
from embeddings.scorers.neighbours import fit_item_neighbours, fit_user_neighbours
from embeddings.scorers.parts import fit_encoder_scores, fit_prior_scores
from embeddings.scorers.popular import fit_popular

NEAR = (100, 20, 50, 200, 400)
SHRINK = (10.0, 0.0, 50.0, 200.0)
RIDGES = (200.0, 10.0, 50.0, 100.0, 400.0, 800.0, 1600.0)

KINDS = (
    ScorerKind("popular", "the items that most users took", {"days": (0.0, 7.0, 28.0, 90.0)}, fit_popular),
    ScorerKind(
        "item-cosine",
        "ItemKNN with cosine similarity",
        {"neighbours": NEAR, "shrink": SHRINK, "correlation": ("cosine",)},
        fit_item_neighbours,
    ),
    ScorerKind(
        "item-pearson",
        "ItemKNN with Pearson correlation",
        {"neighbours": NEAR, "shrink": SHRINK, "correlation": ("pearson",)},
        fit_item_neighbours,
    ),
    ScorerKind(
        "user-cosine",
        "UserKNN with cosine similarity",
        {"neighbours": NEAR, "shrink": SHRINK, "correlation": ("cosine",)},
        fit_user_neighbours,
    ),
    ScorerKind(
        "user-pearson",
        "UserKNN with Pearson correlation",
        {"neighbours": NEAR, "shrink": SHRINK, "correlation": ("pearson",)},
        fit_user_neighbours,
    ),
    ScorerKind("content", "TF-IDF vectors of the items' attributes", {"idf_power": (1.0, 0.5, 2.0)}, fit_content),
    ScorerKind("ease", "EASE", {"ridge": RIDGES}, fit_ease),
    ScorerKind(
        "ease-kg",
        "EASE with the items' attributes in its Gram matrix",
        {"ridge": RIDGES, "attributes": (10.0, 1.0, 100.0)},
        fit_ease_with_attributes,
    ),
    ScorerKind("edlae", "EASE trained with dropout", {"ridge": RIDGES, "dropout": (0.3, 0.1, 0.5, 0.7)}, fit_edlae),
    ScorerKind(
        "ials",
        "iALS of the package implicit",
        {
            "factors": (64, 32, 128, 256),
            "ridge": (1.0, 0.1, 10.0, 30.0),
            "alpha": (5.0, 2.0, 10.0, 40.0),
            "iterations": (16,),
        },
        fit_ials,
    ),
    ScorerKind(
        "lightgcn",
        "LightGCN of PyG, trained with BPR",
        {
            "epochs": (150, 300, 60),
            "layers": (2, 3),
            "ridge": (1e-4, 1e-5, 1e-3),
            "learning_rate": (0.005, 0.002),
            "dim": (64,),
            "batch": (2048,),
        },
        fit_lightgcn,
    ),
    ScorerKind(
        "encoder",
        "the encoder over users, items and entities alone",
        {
            "dropout": (0.6, 0.4, 0.5, 0.7),
            "weight_decay": (0.3, 0.1, 1.0),
            "steps": (240, 120, 480),
            "dim": (64, 128),
            "temperature": (0.0, 0.1, 0.2),
            "svd_start": (False, True),
        },
        fit_encoder_scores,
    ),
    ScorerKind(
        "graph-prior",
        "the item-item model around the graph prior alone",
        {
            "ridge": (0.15, 0.02, 0.05, 0.4, 1.0),
            "prior_scale": (2.0, 0.0, 1.0, 4.0),
            "user_power": (0.25, 0.0, 0.5),
        },
        fit_prior_scores,
    ),
)
SCORERS = {kind.name: kind for kind in KINDS}
FUSED = "fused"


def scorer_kind(name: str) -> ScorerKind:
    """Raises: InvalidRequest for a name that is none of SCORERS."""
    try:
        return SCORERS[name]
    except KeyError:
        raise InvalidRequest(f"no scorer {name!r}; there are: {', '.join((FUSED, *SCORERS))}", field="scorer") from None
