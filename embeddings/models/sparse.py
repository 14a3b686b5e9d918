"""Sparse products for message passing in PyG: embedding_bag forward, the transpose backward.

On one thread this takes about a third of the time of a torch CSR product forward, and less than a seventh with its
backward pass: benchmarks/propagation.py.
"""

import warnings
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # PyG 2.8 calls torch.jit.script, which torch 2.15 deprecates
    from torch_geometric.nn import MessagePassing


@dataclass(frozen=True)
class SparseMatrix:
    """An (n, m) matrix in CSR form and its transpose: one for the forward pass, the other for the backward.

    order (nnz,): the place in `forward` of each entry of `backward`.
    """

    forward: tuple[Tensor, Tensor, Tensor]
    backward: tuple[Tensor, Tensor, Tensor]
    order: Tensor

    @classmethod
    def of(cls, matrix: sp.csr_array, dtype: torch.dtype = torch.float32) -> "SparseMatrix":
        places = sp.csr_array((np.arange(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
        turned = sp.csr_array(places.transpose())
        order = torch.from_numpy(turned.data.astype(np.int64))
        data = torch.from_numpy(np.asarray(matrix.data)).to(dtype)
        forward = (*_pattern(matrix), data)
        return cls(forward, (*_pattern(turned), data.index_select(0, order)), order)

    def transposed(self) -> "SparseMatrix":
        """The (m, n) transpose, sharing the arrays."""
        back = torch.empty_like(self.order)
        back[self.order] = torch.arange(len(self.order))
        return SparseMatrix(self.backward, self.forward, back)

    def masked(self, factors: Tensor) -> "SparseMatrix":
        """Each entry times its factor (nnz,), in both directions: dropout of edges."""
        indptr, indices, data = self.forward
        turned_indptr, turned_indices, turned = self.backward
        return SparseMatrix(
            (indptr, indices, data * factors),
            (turned_indptr, turned_indices, turned * factors.index_select(0, self.order)),
            self.order,
        )

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


def _pattern(matrix: sp.csr_array) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(matrix.indptr.astype(np.int64)), torch.from_numpy(matrix.indices.astype(np.int64))


def _multiply(matrix: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
    """A x by embedding_bag, which on the CPU is several times faster than the CSR product."""
    indptr, indices, data = matrix
    if len(indices) == 0:
        return x.new_zeros(len(indptr) - 1, x.shape[1])
    return torch.nn.functional.embedding_bag(
        indices, x, indptr, mode="sum", per_sample_weights=data, include_last_offset=True
    )
