"""The linear encoder over the collaborative knowledge graph, as PyG message passing.

Nodes: items and entities with learned rows E, users without any (so that a user is a composition of items).
Messages run over relation edges, both ways, with one learned scalar >= 0 per relation and direction, each relation's
matrix symmetric-normalised; then over the users' own interactions:

    H = E_entities + Aᵉ E_items      (entities hear their items)
    Z = E_items + Aⁱ H               (items hear their entities: two hops)
    user = Σ_h w_h Z_h               (the user hears their items)

There are two such sets of rows: C (context, what a user is composed of) and Q (targets, what is scored). Nothing is
non-linear, so a score splits exactly into its items.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from embeddings.features import Features
from embeddings.models.sparse import Hop, SparseMatrix

FIRST_SCALAR = 0.3


@dataclass(frozen=True)
class GraphEdges:
    """Relation edges between I items and K features (relation, entity), normalised by √(degree · degree) per relation.

    to_items (I, K), to_features (K, I); gather (N, K) sums the features of one entity, spread (K, N) gives each
    feature its entity; relations (K,) the code of each.
    """

    to_items: SparseMatrix
    to_features: SparseMatrix
    gather: SparseMatrix
    spread: SparseMatrix
    relations: Tensor

    def thinned(self, share: float, rng: np.random.Generator) -> "GraphEdges":
        """A random share of the edges left out, the same ones both ways, and the others raised to make up for it."""
        kept = rng.random(len(self.to_items.order)) >= share
        to_items = self.to_items.masked(torch.from_numpy(kept / (1 - share)).to(self.to_items.forward[2].dtype))
        return replace(self, to_items=to_items, to_features=to_items.transposed())

    @classmethod
    def of(cls, features: Features, num_entities: int, *, dtype: torch.dtype = torch.float32) -> "GraphEdges":
        return cls.between(normalised_edges(features), features.entities, features.relations, num_entities, dtype)

    @classmethod
    def between(
        cls,
        matrix: sp.csr_array,
        entities: np.ndarray[tuple[int], np.dtype[np.int32]],
        relations: np.ndarray[tuple[int], np.dtype[np.int16]],
        num_entities: int,
        dtype: torch.dtype = torch.float32,
    ) -> "GraphEdges":
        """Of normalised edges (I, K)."""
        ones = np.ones(len(entities), np.float32)
        gather = sp.csr_array((ones, (entities, np.arange(len(entities)))), shape=(num_entities, len(entities)))
        to_items, to_entities = SparseMatrix.of(matrix, dtype), SparseMatrix.of(gather, dtype)
        return cls(
            to_items,
            to_items.transposed(),
            to_entities,
            to_entities.transposed(),
            torch.from_numpy(relations.astype(np.int64)),
        )


class Rows(nn.Module):
    """One set of learned rows (items and entities), and the scalars they are passed on with."""

    def __init__(self, num_items: int, num_entities: int, num_relations: int, dim: int, spread: float) -> None:
        super().__init__()
        self.items = nn.Parameter(torch.randn(num_items, dim) * spread)
        self.entities = nn.Parameter(torch.randn(num_entities, dim) * spread)
        self.from_items = nn.Parameter(torch.full((num_relations,), FIRST_SCALAR))
        self.from_entities = nn.Parameter(torch.full((num_relations,), FIRST_SCALAR))
        self.hop = Hop()

    def forward(self, edges: GraphEdges, keep: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Z (I, d) and H (N, d). keep (I, 1): 0 where an item's own row is left out and only its edges speak."""
        own = self.items if keep is None else self.items * keep
        messages = self.messages(own, edges)
        passed = self.hop(messages, edges.spread) * self.from_entities.clamp(min=0)[edges.relations].unsqueeze(1)
        return own + self.hop(passed, edges.to_items), messages

    def messages(self, own: Tensor, edges: GraphEdges) -> Tensor:
        """H (N, d): each entity's own row and what it hears from its items."""
        heard = self.hop(own, edges.to_features) * self.from_items.clamp(min=0)[edges.relations].unsqueeze(1)
        return self.entities + self.hop(heard, edges.gather)


@dataclass(frozen=True)
class Composed:
    """users (B, d); context C and targets Q (I, d); messages (N, d): the targets' H."""

    users: Tensor
    context: Tensor
    targets: Tensor
    messages: Tensor


class Encoder(nn.Module):
    """C and Q over one graph, and an item bias. Scores of a user: ⟨Σ_h w_h C_h, Q_i⟩ + bias_i."""

    def __init__(
        self,
        num_items: int,
        num_entities: int,
        num_relations: int,
        *,
        dim: int,
        spread: float,
        first_bias: Tensor,
    ) -> None:
        super().__init__()
        self.context = Rows(num_items, num_entities, num_relations, dim, spread)
        self.targets = Rows(num_items, num_entities, num_relations, dim, spread)
        self.bias = nn.Parameter(first_bias.clone())
        self.hop = Hop()

    def forward(self, histories: SparseMatrix, edges: GraphEdges, keep: Tensor | None = None) -> Composed:
        """histories (B, I) weights; keep as in Rows.forward."""
        context, _ = self.context(edges, keep)
        targets, messages = self.targets(edges, keep)
        return Composed(self.hop(context, histories), context, targets, messages)


def normalised_edges(features: Features) -> sp.csr_array:
    """(I, K): 1 / √(item's degree in that relation · feature's degree) where the item has the feature."""
    coo = features.matrix.tocoo()
    num_relations = int(features.relations.max(initial=0)) + 1
    pair = coo.row.astype(np.int64) * num_relations + features.relations[coo.col]
    of_item = np.bincount(pair, minlength=1)[pair]
    of_feature = np.bincount(coo.col, minlength=1)[coo.col]
    data = (1 / np.sqrt(of_item * of_feature)).astype(np.float32)
    shape = (len(features.matrix.indptr) - 1, len(features.entities))
    return sp.csr_array((data, features.matrix.indices, features.matrix.indptr), shape=shape)
