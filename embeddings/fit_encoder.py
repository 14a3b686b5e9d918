"""Trains the encoder: a linear denoising model with a softmax over items. Needs torch.

In each batch a random part of the users' events is left out of what the user is composed of; all of them are to be
found again. What the softmax compares are inner products, or cosines over a temperature. Where items are many, a step
covers the batch's own and a random part of the others, each of which stands for its share of them.
Equal seeds give equal weights bit for bit with the same number of threads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
import torch
from numpy.typing import NDArray
from torch import Tensor

from embeddings.encoded import Encoded
from embeddings.features import Features, Floats
from embeddings.models.encoder import Encoder, GraphEdges, normalised_edges
from embeddings.models.sparse import SparseMatrix
from embeddings.settings import EncoderSettings
from embeddings.softmax import compare, cover

ENTITY_PAIRS = 128  # (item, entity) pairs per step


@dataclass(frozen=True)
class _Parts:
    """matrix (U, I) weights; features with at least two items, entities renumbered; targets: items in the softmax."""

    matrix: sp.csr_array
    edges: GraphEdges
    entities: NDArray[np.int32]
    pairs: tuple[NDArray[np.int32], NDArray[np.int64]]
    targets: NDArray[np.int64]


def fit_encoder(
    matrix: sp.csr_array,
    features: Features,
    num_entities: int,
    num_relations: int,
    first_bias: Floats,
    settings: EncoderSettings,
    *,
    seed: int,
    advance: Callable[[int], None],
) -> Encoded:
    """The encoder of the users' weights, matrix (U, I), and the items' features. first_bias (I,): log popularity.

    `advance` is called after every step with 1.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    matrix = _positive(matrix)
    parts = _parts(matrix, features, settings)
    encoder = Encoder(
        len(first_bias),
        len(parts.entities),
        num_relations,
        dim=settings.dim,
        spread=settings.spread,
        first_bias=torch.from_numpy(first_bias.astype(np.float32)),
    )
    if settings.svd_start:
        _start_at_svd(encoder, matrix, settings, seed)
    loss = _descend(encoder, parts, settings, rng, advance)
    with torch.no_grad():
        unheard = torch.from_numpy(np.bincount(matrix.indices, minlength=len(first_bias)) == 0)
        for side in (encoder.context, encoder.targets):
            side.items[unheard] = 0  # nobody took it: only its edges say anything
    return _export(encoder, features, num_entities, settings.temperature, loss)


def _positive(matrix: sp.csr_array) -> sp.csr_array:
    coo = matrix.tocoo()
    kept = coo.data > 0
    return sp.csr_array((coo.data[kept].astype(np.float32), (coo.row[kept], coo.col[kept])), shape=coo.shape)


def _parts(matrix: sp.csr_array, features: Features, settings: EncoderSettings) -> _Parts:
    counts = np.bincount(features.matrix.indices, minlength=len(features.entities))
    shared = np.flatnonzero(counts >= 2)  # an entity of one item tells that item nothing that its own row does not
    edges = sp.csr_array(normalised_edges(features)[:, shared])
    entities, renumbered = np.unique(features.entities[shared], return_inverse=True)
    coo = edges.tocoo()
    takers = np.bincount(matrix.indices, minlength=len(features.matrix.indptr) - 1)
    popular = np.argsort(-takers, kind="stable")[: settings.most_targets]
    return _Parts(
        matrix,
        GraphEdges.between(edges, renumbered.astype(np.int32), features.relations[shared], len(entities)),
        entities.astype(np.int32),
        (coo.row.astype(np.int32), renumbered[coo.col].astype(np.int64)),
        np.sort(popular[takers[popular] > 0]),
    )


def _start_at_svd(encoder: Encoder, matrix: sp.csr_array, settings: EncoderSettings, seed: int) -> None:
    """Both sets of item rows at the first right singular vectors of the unit-length histories.

    Where scores are cosines, columns are first scaled by (Σ of the column)^−½: what is popular is no direction then.
    """
    size = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    unit = sp.csr_array(sp.diags_array(1 / np.sqrt(np.where(size > 0, size, 1)).astype(np.float32)) @ matrix)
    if settings.temperature is not None:
        total = np.asarray(matrix.sum(axis=0)).ravel()
        unit = sp.csr_array(unit @ sp.diags_array(1 / np.sqrt(np.where(total > 0, total, 1)).astype(np.float32)))
    rank = min(settings.dim, len(size) - 1, len(encoder.bias) - 1)
    found = cast(tuple[Any, ...], scipy.sparse.linalg.svds(unit, k=rank, rng=np.random.default_rng(seed)))
    rows = torch.from_numpy(np.ascontiguousarray(found[2][::-1].T.astype(np.float32)))
    with torch.no_grad():
        for side in (encoder.context, encoder.targets):
            side.items[:, :rank] = rows * settings.svd_gain
            side.entities.zero_()


def _descend(
    encoder: Encoder,
    parts: _Parts,
    settings: EncoderSettings,
    rng: np.random.Generator,
    advance: Callable[[int], None],
) -> float:
    """Runs all steps, leaves the average of the last ones in the encoder, and returns the mean loss over them."""
    rows = [encoder.context.items, encoder.context.entities, encoder.targets.items, encoder.targets.entities]
    others = [each for each in encoder.parameters() if all(each is not row for row in rows)]
    groups = [{"params": rows, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate)
    first_averaged = int(settings.steps * (1 - settings.averaged))
    average: list[Tensor] = [each.detach().clone() for each in encoder.parameters()]
    losses: list[float] = []
    for step, users in enumerate(_batches(parts.matrix, settings, rng)):
        loss = _loss(encoder, parts, users, settings, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step >= first_averaged:
            losses.append(float(loss.detach()))
            for mean, each in zip(average, encoder.parameters(), strict=True):
                mean += (each.detach() - mean) / len(losses)
        advance(1)
    with torch.no_grad():
        for mean, each in zip(average, encoder.parameters(), strict=True):
            each.copy_(mean)
    return float(np.mean(losses))


def _batches(matrix: sp.csr_array, settings: EncoderSettings, rng: np.random.Generator) -> "list[NDArray[np.int64]]":
    """settings.steps batches of user rows with events, each epoch in a new order."""
    users = np.flatnonzero(np.diff(matrix.indptr))
    batches: list[NDArray[np.int64]] = []
    while len(batches) < settings.steps:
        order = rng.permutation(users)
        batches += [
            np.sort(order[start : start + settings.batch_users]) for start in range(0, len(order), settings.batch_users)
        ]
    return batches[: settings.steps]


def _loss(
    encoder: Encoder, parts: _Parts, users: NDArray[np.int64], settings: EncoderSettings, rng: np.random.Generator
) -> Tensor:
    """Mean cross-entropy per unit of weight of finding all of the users' items, and the items' entities."""
    batch = sp.csr_array(parts.matrix[users])
    keep = None
    if settings.own_dropout:
        num_items = len(encoder.bias)
        keep = torch.from_numpy((rng.random((num_items, 1)) >= settings.own_dropout).astype(np.float32))
    edges = parts.edges.thinned(settings.edge_dropout, rng) if settings.edge_dropout else parts.edges
    composed = encoder(SparseMatrix.of(_thinned(batch, settings, rng)), edges, keep)
    wanted = sp.csr_array(batch[:, parts.targets])
    covered = cover(parts.targets[wanted.indices], parts.targets, settings.most_compared, rng)
    targets, bias = composed.targets.index_select(0, covered.items), encoder.bias.index_select(0, covered.items)
    scores = compare(composed.users, targets, settings.temperature) + (bias + covered.log_share)
    rows = torch.from_numpy(np.repeat(np.arange(len(users)), np.diff(wanted.indptr)))
    likely = scores[rows, covered.places] - torch.logsumexp(scores, 1)[rows]
    weights = torch.from_numpy(wanted.data)
    loss = -(weights * likely).sum() / weights.sum()
    items, entities = parts.pairs
    if settings.entity_share and len(items):
        drawn = rng.integers(0, len(items), min(ENTITY_PAIRS, len(items)))
        asking = composed.context.index_select(0, torch.from_numpy(items[drawn]))
        found = torch.log_softmax(compare(asking, composed.messages, settings.temperature), dim=1)
        loss = loss - settings.entity_share * found.gather(1, torch.from_numpy(entities[drawn])[:, None]).mean()
    return loss


def _thinned(batch: sp.csr_array, settings: EncoderSettings, rng: np.random.Generator) -> sp.csr_array:
    """The batch's rows at unit length, a random part of their entries 0 and the others raised to make up for it."""
    size = np.asarray(batch.multiply(batch).sum(axis=1)).ravel()
    lengths = np.repeat(np.sqrt(size), np.diff(batch.indptr))
    kept = rng.random(len(batch.data)) >= settings.dropout
    data = (batch.data * kept / (lengths * (1 - settings.dropout))).astype(np.float32)
    indptr = np.append(0, np.cumsum(kept))[batch.indptr]
    return sp.csr_array((data[kept], batch.indices[kept], indptr), shape=batch.shape)


def _export(encoder: Encoder, features: Features, num_entities: int, temperature: float | None, loss: float) -> Encoded:
    """The arrays over all features: entities of a single item have no row of their own, but hear that item."""
    full = GraphEdges.of(features, num_entities)
    counts = np.bincount(features.matrix.indices, minlength=len(features.entities))
    learned = torch.from_numpy(np.unique(features.entities[counts >= 2]).astype(np.int64))
    sides: list[tuple[Tensor, Tensor, Tensor]] = []
    with torch.no_grad():
        for side in (encoder.context, encoder.targets):
            entities = side.entities.new_zeros(num_entities, side.entities.shape[1])
            entities[learned] = side.entities
            side.entities = torch.nn.Parameter(entities)
            items, messages = side(full)
            sides.append((items, messages, side.from_entities.clamp(min=0).unsqueeze(1)))
        bias = encoder.bias.detach()
    (context, entity_context, to_context), (targets, entity_targets, to_targets) = sides
    length = 0.0 if temperature is None else 1 / temperature
    targets = torch.nn.functional.normalize(targets, dim=1) * length if length else targets
    arrays = (context, targets, entity_context, entity_targets, to_context, to_targets, bias)
    degrees = counts.astype(np.float32)
    return Encoded(*(array.detach().numpy() for array in arrays), degrees=degrees, loss=loss, target_length=length)
