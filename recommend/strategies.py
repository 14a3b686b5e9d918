"""Which way a list is made: by the model, by stated tastes, by people alike, or by popularity, in this order."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from recommend.adapt import weights_of
from recommend.cold_start import items_of_people_alike, items_of_tastes
from recommend.grounds import Splitter
from recommend.history import Weighted
from recommend.ports import GraphReader
from recommend.query import FoundSplitter, found_by
from recommend.ranking import Floats, Ranking
from recommend.request import RecommendRequest
from recommend.score import Scorer, Scores
from recommend.split_model import ModelSplitter
from recommend.split_tastes import Amounts, AmountsOf, PeopleSplitter, PopularSplitter, TasteSplitter
from recommend.subject import Subject
from recommend.world import View

Made = tuple[Ranking, Splitter]


def strategy_for(view: View, subject: Subject, graph: GraphReader | None) -> Made:
    """The best way for this subject. Neo4j is asked only for tastes and for people alike."""
    if subject.is_opted_out:
        return by_popularity(view)
    ranking, splitter = (
        _by_model(view, subject)
        or _by_tastes(view, subject, graph)
        or _by_people_alike(view, subject, graph)
        or by_popularity(view, subject)
    )
    return _faded(ranking, subject), splitter


def made_for(view: View, subject: Subject, request: RecommendRequest, graph: GraphReader | None) -> Made:
    """The same for one request: of the items that its text finds, where it has one."""
    ranking, splitter = strategy_for(view, subject, graph)
    if request.query is None:
        return ranking, splitter
    found = found_by(graph, view, request.query, ranking)
    return found, FoundSplitter(splitter, found)


def _faded(ranking: Ranking, subject: Subject) -> Ranking:
    """With a part that takes away from items that were shown of late and ignored."""
    if not subject.faded:
        return ranking
    rows = np.fromiter(subject.faded, np.int64)
    factors = np.fromiter(subject.faded.values(), np.float64)
    shown = np.zeros(len(ranking.total), np.float32)
    shown[rows] = (factors - 1) * np.maximum(ranking.total[rows], 0)
    return replace(ranking, parts={**ranking.parts, "impressions": shown})


def _by_model(view: View, subject: Subject) -> Made | None:
    """For anyone with an event that counts for an item."""
    scorer = view.scorer
    if scorer is None:
        return None
    weighted = weights_of(view, subject)
    if not (weighted.weights > 0).any():
        return None
    scores = _masked(scorer, weighted, scorer.score(weighted), subject)
    strategy = "model" if any(deed.is_kept for deed in subject.deeds) else "session"
    parts = {"entity": scores.entity, "behaviour": scores.behaviour, "taste": scores.taste}
    parts["popularity"] = scores.popularity
    ranking = Ranking(strategy, False, parts, scores.total - scores.popularity)
    return ranking, ModelSplitter(view, subject, scorer, weighted, ranking)


def _masked(scorer: Scorer, weighted: Weighted, scores: Scores, subject: Subject) -> Scores:
    """The scores as if no item had the masked entities; what was learned with them stays as it is."""
    if not subject.masked:
        return scores
    part = scorer.entity_part_through(weighted, sorted(subject.masked))
    return replace(scores, total=scores.total - part, entity=scores.entity - part)


def _by_tastes(view: View, subject: Subject, graph: GraphReader | None) -> Made | None:
    """For stated tastes: the scorer's terms and what Cypher finds, each enough by itself."""
    if not subject.tastes:
        return None
    found = items_of_tastes(graph, view, subject.tastes)
    parts: dict[str, Floats] = {}
    if view.scorer is not None:
        rows = [taste.entity_row for taste in subject.tastes]
        scores = view.scorer.from_tastes(rows, [taste.weight for taste in subject.tastes])
        parts |= {"entity": scores.entity, "taste": scores.taste, "popularity": scores.popularity}
    elif found is None:
        return None
    scale = _scale(parts, found or {})
    amounts = {row: {key: value * scale for key, value in worth.items()} for row, worth in (found or {}).items()}
    parts["cold_start"] = np.zeros(len(view.catalogue), np.float32)
    for row, worth in amounts.items():
        parts["cold_start"][row] = sum(worth.values())
    ranking = Ranking("preferences", found is None, parts, _evidence(parts))
    return ranking, TasteSplitter(view, subject, ranking, AmountsOf(view, subject.tastes, amounts))


def _evidence(parts: Mapping[str, Floats]) -> Floats:
    """Items that have a stated entity, each of which has a path; where no item has one, those near to the tastes."""
    linked = parts.get("entity", np.float32(0)) + parts["cold_start"]
    return linked if (linked > 0).any() else parts.get("taste", linked)


def _scale(parts: Mapping[str, Floats], found: Mapping[int, Amounts]) -> float:
    """Makes the best Cypher score as large as the spread of the scorer's scores, so that neither drowns the other."""
    best = max((sum(worth.values()) for worth in found.values()), default=0.0)
    if not parts or best <= 0:
        return 1.0
    spread = float(np.std(np.sum(list(parts.values()), axis=0)))
    return spread / best if spread > 0 else 1.0


def _by_people_alike(view: View, subject: Subject, graph: GraphReader | None) -> Made | None:
    """For a user who took nothing yet, with a static profile."""
    found = None if subject.has_liked else items_of_people_alike(graph, view, subject)
    if not found:
        return None
    scores = np.zeros(len(view.catalogue), np.float32)
    for row, (score, _, _) in found.items():
        scores[row] = score
    ranking = Ranking("cold_start", False, {"people": scores}, scores)
    liked = {row: (liked, peers) for row, (_, liked, peers) in found.items()}
    return ranking, PeopleSplitter(view, subject, ranking, liked)


def by_popularity(view: View, subject: Subject | None = None) -> Made:
    """What many people took of late; what was taken before only breaks ties and fills up."""
    recent, ever = view.popular_counts
    scores = (recent + ever / (1.0 + ever.max(initial=0))).astype(np.float32)
    is_cold = subject is not None and not subject.has_liked
    ranking = Ranking("cold_start" if is_cold else "popular", True, {"popularity": scores}, scores)
    return ranking, PopularSplitter(view, ranking)
