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

import warnings
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from embeddings.features import Features

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # PyG 2.8 calls torch.jit.script, which torch 2.15 deprecates
    from torch_geometric.nn import MessagePassing

FIRST_SCALAR = 0.3


@dataclass(frozen=True)
class SparseMatrix:
    """An (n, m) matrix in CSR form and its transpose: one for the forward pass, the other for the backward."""

    forward: tuple[Tensor, Tensor, Tensor]
    backward: tuple[Tensor, Tensor, Tensor]

    @classmethod
    def of(cls, matrix: sp.csr_array, dtype: torch.dtype = torch.float32) -> "SparseMatrix":
        return cls(_tensors(matrix, dtype), _tensors(sp.csr_array(matrix.transpose()), dtype))

    def adjacency(self) -> Tensor:
        """The same matrix as a torch CSR tensor, without a copy: the form that PyG's propagate knows."""
        indptr, indices, data = self.forward
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "Sparse CSR tensor support is in beta state"
            return torch.sparse_csr_tensor(indptr, indices, data, (len(indptr) - 1, len(self.backward[0]) - 1))


class SparseProduct(torch.autograd.Function):
    """A x for a constant sparse A (n, m) and x (m, d). The gradient of x is Aᵀ g: A need not be symmetric."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: SparseMatrix) -> Tensor:
        ctx.matrix = matrix
        return _multiply(matrix.forward, x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return _multiply(ctx.matrix.backward, grad_outputs[0].contiguous()), None


class Hop(MessagePassing):
    """One hop along the edges of a sparse matrix: out_i = Σ_j A_ij x_j, fused into one product."""

    def __init__(self) -> None:
        super().__init__(aggr="add")

    def forward(self, x: Tensor, matrix: SparseMatrix) -> Tensor:
        """x (m, d) of the senders, matrix (n, m). Returns (n, d)."""
        return self.propagate(matrix.adjacency(), x=(x, None), matrix=matrix, edge_weight=None)

    def message_and_aggregate(  # pyright: ignore[reportIncompatibleMethodOverride] PyG passes what the signature names
        self,
        edge_index: Any,  # noqa: ARG002
        x: Any,
        matrix: SparseMatrix,
    ) -> Tensor:
        """The fused form, with a backward pass along the transposed edges."""
        return cast(Tensor, SparseProduct.apply(x[0], matrix))

    def message(self, x_j: Tensor, edge_weight: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The same hop edge by edge: propagate(edge_index, x=(x, None), edge_weight=…, matrix=None, size=(m, n))."""
        return edge_weight.unsqueeze(-1) * x_j


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
        return cls(
            SparseMatrix.of(matrix, dtype),
            SparseMatrix.of(sp.csr_array(matrix.transpose()), dtype),
            SparseMatrix.of(gather, dtype),
            SparseMatrix.of(sp.csr_array(gather.transpose()), dtype),
            torch.from_numpy(relations.astype(np.int64)),
        )


class Rows(nn.Module):
    """One set of learned rows (items and entities) and the relation scalars they are passed on with."""

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

    def forward(
        self, histories: SparseMatrix, edges: GraphEdges, keep: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """histories (B, I). Returns user vectors (B, d), context C (I, d), targets Q (I, d), target messages (N, d)."""
        context, _ = self.context(edges, keep)
        targets, messages = self.targets(edges, keep)
        return self.hop(context, histories), context, targets, messages


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


def _tensors(matrix: sp.csr_array, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    indptr = torch.from_numpy(matrix.indptr.astype(np.int64))
    indices = torch.from_numpy(matrix.indices.astype(np.int64))
    return indptr, indices, torch.from_numpy(np.asarray(matrix.data)).to(dtype)


def _multiply(matrix: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
    """A x by embedding_bag, which on the CPU is several times faster than the CSR product."""
    indptr, indices, data = matrix
    if len(indices) == 0:
        return x.new_zeros(len(indptr) - 1, x.shape[1])
    return torch.nn.functional.embedding_bag(
        indices, x, indptr, mode="sum", per_sample_weights=data, include_last_offset=True
    )
