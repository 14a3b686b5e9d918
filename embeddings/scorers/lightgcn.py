"""LightGCN as PyG ships it, trained with its BPR loss. Needs torch.

Source: He et al., SIGIR 2020. Unlike ours, it has a learned row for every user.
"""

import warnings
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from domain.progress import Progress
from domain.snapshot import Snapshot
from embeddings.scorers.contract import Floats, Settings, Users, training_matrix

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # PyG 2.8 calls torch.jit.script, which torch 2.15 deprecates
    from torch_geometric.nn import LightGCN


@dataclass(frozen=True)
class Propagated:
    """layers (L + 1, U, d): what each propagation step leaves in the users' rows, already divided by L + 1.

    items (I, d): the mean over all steps.
    """

    layers: Floats
    items: Floats

    def score(self, user_rows: Users) -> Floats:
        return np.asarray(self.layers[:, user_rows].sum(axis=0) @ self.items.T, np.float32)

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        values = self.layers[:, user_row] @ self.items[item_row]
        return {f"layer {place}": float(value) for place, value in enumerate(values)}


def fit_lightgcn(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> Propagated:
    """dim, layers, learning_rate, ridge (on the batch's own rows), batch and epochs (passes over the interactions)."""
    matrix = training_matrix(snapshot)
    num_users, num_items = len(snapshot.user_ids), len(snapshot.item_ids)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = LightGCN(num_users + num_items, int(settings["dim"]), int(settings["layers"]))
    coo = matrix.tocoo()
    pairs = torch.from_numpy(np.stack([coo.row, coo.col + num_users]).astype(np.int64))
    edges = torch.cat([pairs, pairs.flip(0)], dim=1)
    optimiser = torch.optim.Adam(model.parameters(), lr=float(settings["learning_rate"]))
    batch, epochs = int(settings["batch"]), int(settings["epochs"])
    with progress.step("LightGCN", epochs) as advance:
        for _ in range(epochs):
            order = torch.from_numpy(rng.permutation(pairs.shape[1]))
            for part in order.split(batch):
                _step(model, optimiser, edges, pairs[:, part], num_users, float(settings["ridge"]), rng)
            advance(1)
    return _export(model, edges, num_users)


def _step(
    model: LightGCN,
    optimiser: torch.optim.Optimizer,
    edges: Tensor,
    positive: Tensor,
    num_users: int,
    ridge: float,
    rng: np.random.Generator,
) -> None:
    """One step of BPR: each pair of the batch against one item drawn at random."""
    drawn = rng.integers(num_users, model.num_nodes, positive.shape[1])
    negative = torch.stack([positive[0], torch.from_numpy(drawn)])
    ranks = model(edges, torch.cat([positive, negative], dim=1))
    ours, theirs = ranks.chunk(2)
    nodes = torch.cat([positive.flatten(), negative[1]])
    optimiser.zero_grad()
    loss = model.recommendation_loss(ours, theirs, node_id=nodes, lambda_reg=ridge)
    loss.backward()
    optimiser.step()


def _export(model: LightGCN, edges: Tensor, num_users: int) -> Propagated:
    with torch.no_grad():
        rows = model.embedding.weight
        layers = [rows]
        for conv in model.convs:
            layers.append(conv(layers[-1], edges))
        stacked = torch.stack([layer * alpha for layer, alpha in zip(layers, cast(Tensor, model.alpha), strict=True)])
    values = np.asarray(stacked.numpy(), np.float32)
    return Propagated(values[:, :num_users], values[:, num_users:].sum(axis=0))
