"""How fast vectors are passed along the edges of a graph inside a PyG model, three ways in one process.

    python benchmarks/propagation.py

The model is the same each time: three hops of PyG message passing over users and items, summed (d = 64). The ways:
PyG's default (edge_index, one message per edge), PyG with a torch CSR adjacency, and Clew's (embedding_bag as the
sparse product behind message_and_aggregate, backward along the transpose). Forward alone, and forward with backward.
Results and gradients must agree to 1e-5. Graphs: a random one, and Gowalla where ../shared/data has it.
Writes benchmarks/results/propagation.json.
"""

import argparse
import json
import os
import platform
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from embeddings.models.sparse import Hop, SparseMatrix

ROOT = Path(__file__).parents[1]
GOWALLA = ROOT.parent / "shared" / "data" / "gowalla-lightgcn" / "train.txt"
DIM, LAYERS, REPEATS = 64, 3, 5
USERS, ITEMS, INTERACTIONS = 30_000, 20_000, 1_000_000


class CsrHop(MessagePassing):
    """PyG with a torch CSR adjacency, as its documentation writes it."""

    def __init__(self) -> None:
        super().__init__(aggr="add")

    def forward(self, x: Tensor, adjacency: Tensor) -> Tensor:
        return self.propagate(adjacency, x=x)

    def message_and_aggregate(self, edge_index: Tensor, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] PyG passes what it names
        return edge_index @ x

    def message(self, x_j: Tensor) -> Tensor:
        return x_j


class EdgeHop(MessagePassing):
    """PyG's default: one message per edge."""

    def __init__(self) -> None:
        super().__init__(aggr="add")

    def forward(self, x: Tensor, edges: tuple[Tensor, Tensor]) -> Tensor:
        return self.propagate(edges[0], x=x, weight=edges[1])

    def message(self, x_j: Tensor, weight: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return weight.unsqueeze(-1) * x_j


class Layers(nn.Module):
    """x + A x + … + A³ x."""

    def __init__(self, hop: MessagePassing) -> None:
        super().__init__()
        self.hop = hop

    def forward(self, x: Tensor, graph: Any) -> Tensor:
        total = x
        for _ in range(LAYERS):
            x = self.hop(x, graph)
            total = total + x
        return total


def random_interactions() -> sp.csr_array:
    """(U, I) ones; the i-th item is drawn with probability proportional to (1 + i)^−0.7."""
    rng = np.random.default_rng(0)
    share = np.arange(1, ITEMS + 1) ** -0.7
    pairs = rng.integers(0, USERS, INTERACTIONS), rng.choice(ITEMS, INTERACTIONS, p=share / share.sum())
    return sp.csr_array((np.ones(INTERACTIONS, np.float32), pairs), shape=(USERS, ITEMS))


def gowalla() -> sp.csr_array:
    lines = [np.array(line.split(), np.int64) for line in GOWALLA.read_text().splitlines()]
    users = np.concatenate([np.full(len(line) - 1, line[0]) for line in lines])
    items = np.concatenate([line[1:] for line in lines])
    return sp.csr_array((np.ones(len(users), np.float32), (users, items)))


def symmetric(interactions: sp.csr_array) -> sp.csr_array:
    """D^−½ A D^−½ of the graph of users and items, (U + I, U + I)."""
    adjacency = sp.csr_array(sp.block_array([[None, interactions], [interactions.T, None]]))
    degrees = np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1) ** -0.5
    scale = sp.diags_array(degrees)
    return sp.csr_array(scale @ adjacency @ scale, dtype=np.float32)


def ways(matrix: sp.csr_array) -> dict[str, tuple[nn.Module, Any]]:
    own = SparseMatrix.of(matrix)
    coo = matrix.tocoo()
    edge_index = torch.from_numpy(np.stack([coo.col, coo.row]).astype(np.int64))
    indptr, indices = (torch.from_numpy(each.astype(np.int64)) for each in (matrix.indptr, matrix.indices))
    csr = torch.sparse_csr_tensor(indptr, indices, torch.from_numpy(matrix.data), matrix.shape)
    return {
        "pyg edge_index": (Layers(EdgeHop()), (edge_index, torch.from_numpy(coo.data))),
        "pyg torch csr": (Layers(CsrHop()), csr),
        "clew": (Layers(Hop()), own),
    }


def fastest_ms(run: Callable[[], object]) -> float:
    run()
    times: list[float] = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        run()
        times.append((time.perf_counter() - began) * 1000)
    return min(times)


def measure(matrix: sp.csr_array) -> dict[str, object]:
    """Milliseconds and ratios of one graph. Raises: AssertionError when two ways differ by more than 1e-5."""
    nodes = len(matrix.indptr) - 1
    x = torch.randn(nodes, DIM, generator=torch.Generator().manual_seed(0)).requires_grad_()
    times: dict[str, dict[str, float]] = {}
    results: dict[str, tuple[Tensor, Tensor]] = {}
    for name, (model, graph) in ways(matrix).items():

        def step(model: nn.Module = model, graph: Any = graph) -> tuple[Tensor, Tensor]:
            x.grad = None
            out = model(x, graph)
            out.square().sum().backward()
            assert x.grad is not None
            return out.detach(), x.grad

        with torch.no_grad():
            forward = fastest_ms(lambda model=model, graph=graph: model(x, graph))
        results[name] = step()
        times[name] = {"forward": round(forward, 1), "forward and backward": round(fastest_ms(step), 1)}
    out, gradient = results["clew"]
    for other, other_gradient in results.values():
        torch.testing.assert_close(out, other, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(gradient, other_gradient, rtol=1e-5, atol=1e-5)
    ratios = {
        f"{name}, {what}": round(times[name][what] / times["clew"][what], 1)
        for name in times
        if name != "clew"
        for what in times[name]
    }
    return {"edges": int(matrix.nnz), "nodes": nodes, "ms": times, "times_as_long_as_clew": ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    graphs = {"random": symmetric(random_interactions())}
    if GOWALLA.exists():
        graphs["gowalla"] = symmetric(gowalla())
    else:
        print(f"{GOWALLA} is not there: only the random graph is measured")
    load = os.getloadavg()[0]
    measured: dict[str, object] = {}
    for threads in options.threads:
        torch.set_num_threads(threads)
        for name, matrix in graphs.items():
            measured[f"{name}, {threads} threads"] = figures = measure(matrix)
            print(f"{name}, {threads} threads: {json.dumps(figures)}", flush=True)
    result = {
        "layers": LAYERS,
        "dim": DIM,
        "measured": measured,
        "load_average_at_start": round(load, 1),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"python benchmarks/propagation.py --threads {' '.join(map(str, options.threads))}",
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("torch", "torch-geometric")},
    }
    (ROOT / "benchmarks" / "results" / "propagation.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Sparse CSR tensor support is in beta state"
        main()
