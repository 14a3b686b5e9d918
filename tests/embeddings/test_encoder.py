"""The encoder against a plain re-statement."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from embeddings.features import Features
from embeddings.models.encoder import Encoder, GraphEdges, Rows, normalised_edges
from embeddings.models.sparse import Hop, MessagePassing, SparseMatrix, SparseProduct

ROOT = 2**-0.5


@pytest.fixture
def path() -> Features:
    """first - entity - second, by relation 0."""
    return Features(
        sp.csr_array(np.ones((2, 1), np.float32)),
        np.zeros(1, np.int32),
        np.zeros(1, np.int16),
        np.ones(1, np.float32),
    )


def test_three_nodes_on_paper(path: Features) -> None:
    rows = Rows(2, 1, 1, 1, 0.0)
    with torch.no_grad():
        rows.items.copy_(torch.tensor([[2.0], [4.0]]))
        rows.entities.copy_(torch.tensor([[1.0]]))
        rows.from_items.fill_(0.5)
        rows.from_entities.fill_(3.0)
    items, messages = rows(GraphEdges.of(path, 1))
    heard = 1 + 0.5 * (2 + 4) * ROOT  # each edge weighs 1 / √(1 · 2)
    assert messages.item() == pytest.approx(heard)
    assert items.flatten().tolist() == pytest.approx([2 + 3 * heard * ROOT, 4 + 3 * heard * ROOT])


def test_a_negative_scalar_counts_as_zero(path: Features) -> None:
    rows = Rows(2, 1, 1, 4, 1.0)
    with torch.no_grad():
        rows.from_entities.fill_(-1.0)
    items, _ = rows(GraphEdges.of(path, 1))
    assert torch.equal(items, rows.items)


def test_users_are_composed_of_their_items(path: Features) -> None:
    encoder = Encoder(2, 1, 1, dim=3, spread=1.0, first_bias=torch.zeros(2))
    histories = np.array([[0.5, 0.0], [1.0, -2.0]], np.float32)
    composed = encoder(SparseMatrix.of(sp.csr_array(histories)), GraphEdges.of(path, 1))
    assert composed.users.shape == composed.targets.shape == (2, 3)
    torch.testing.assert_close(composed.users, torch.from_numpy(histories) @ composed.context)


def test_the_fused_hop_equals_message_by_message() -> None:
    rng = np.random.default_rng(0)
    matrix = sp.csr_array((rng.random((4, 6)) < 0.5) * rng.random((4, 6)).astype(np.float32))
    hop, x = Hop(), torch.randn(6, 3)
    coo = matrix.tocoo()
    edges = torch.from_numpy(np.stack([coo.col, coo.row]).astype(np.int64))
    weight = torch.from_numpy(coo.data)
    plain = hop.propagate(edges, x=(x, None), edge_weight=weight, matrix=None, size=(6, 4))
    assert isinstance(hop, MessagePassing)
    torch.testing.assert_close(hop(x, SparseMatrix.of(matrix)), plain)


def test_the_gradient_goes_back_along_the_transposed_edges() -> None:
    rng = np.random.default_rng(0)
    matrix = SparseMatrix.of(sp.csr_array((rng.random((4, 6)) < 0.5) * rng.random((4, 6))), torch.float64)
    x = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda rows: SparseProduct.apply(rows, matrix), (x,))


def test_the_gradient_goes_back_through_the_edges_that_were_kept() -> None:
    rng = np.random.default_rng(0)
    dense = (rng.random((4, 6)) < 0.5) * rng.random((4, 6))
    matrix = SparseMatrix.of(sp.csr_array(dense), torch.float64)
    factors = torch.from_numpy((rng.random(np.count_nonzero(dense)) < 0.5) * 2.0)
    x = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    dropped = matrix.masked(factors)
    kept = sp.csr_array(dense)
    kept.data *= factors.numpy()
    torch.testing.assert_close(SparseProduct.apply(x, dropped), torch.from_numpy(kept.toarray()) @ x)
    assert torch.autograd.gradcheck(lambda rows: SparseProduct.apply(rows, dropped), (x,))
    assert torch.autograd.gradcheck(
        lambda rows: SparseProduct.apply(rows, dropped.transposed()), (torch.randn_like(x[:4]).requires_grad_(),)
    )


def test_dropped_relation_edges_are_dropped_both_ways() -> None:
    features = Features(
        sp.csr_array(np.ones((40, 6), np.float32)),
        np.arange(6, dtype=np.int32),
        np.zeros(6, np.int16),
        np.ones(6, np.float32),
    )
    edges = GraphEdges.of(features, 6)
    thin = edges.thinned(0.25, np.random.default_rng(0))
    there, back = (matrix.adjacency().to_dense() for matrix in (thin.to_items, thin.to_features))
    torch.testing.assert_close(there, back.T)
    assert 0.1 < (there == 0).float().mean().item() < 0.4
    torch.testing.assert_close(there[there > 0], (edges.to_items.adjacency().to_dense() / 0.75)[there > 0])


def test_the_gradient_of_all_parameters_with_different_scalars_each_way() -> None:
    rng = np.random.default_rng(1)
    matrix = sp.csr_array((rng.random((5, 4)) < 0.6).astype(np.float32))
    features = Features(
        matrix, np.array([0, 1, 1, 2], np.int32), np.array([0, 0, 1, 1], np.int16), np.ones(4, np.float32)
    )
    edges = GraphEdges.of(features, 3, dtype=torch.float64)
    rows = Rows(5, 3, 2, 2, 1.0).double()
    with torch.no_grad():
        rows.from_items.copy_(torch.tensor([0.2, 0.7]))
        rows.from_entities.copy_(torch.tensor([0.9, 0.4]))
    names, values = zip(*rows.named_parameters(), strict=True)

    def forward(*parameters: torch.Tensor) -> torch.Tensor:
        items, messages = torch.func.functional_call(rows, dict(zip(names, parameters, strict=True)), (edges,))
        return (items**2).sum() + (messages**3).sum()

    assert torch.autograd.gradcheck(forward, values)


def test_edges_are_normalised_per_relation() -> None:
    matrix = sp.csr_array(np.array([[1, 1, 1], [1, 0, 0]], np.float32))
    features = Features(matrix, np.arange(3, dtype=np.int32), np.array([0, 0, 1], np.int16), np.ones(3, np.float32))
    expected = [[1 / np.sqrt(2 * 2), 1 / np.sqrt(2 * 1), 1], [1 / np.sqrt(1 * 2), 0, 0]]
    np.testing.assert_allclose(normalised_edges(features).toarray(), expected, rtol=1e-6)
