"""Items described by their entities: the matrix F behind the graph prior. NumPy and SciPy only.

A feature is a pair (relation type, entity); column f of F belongs to one. Only relations from items to entities count;
types declared sensitive, or that lead to a sensitive entity type, never do.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Relations, Rows, Snapshot

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """matrix (I, K) CSR float32 of ones; entities (K,) rows; relations (K,) int16 codes; idf (K,) float32."""

    matrix: sp.csr_array
    entities: Rows
    relations: NDArray[np.int16]
    idf: Floats

    def normalised(self, relation: int) -> sp.csr_array:
        """D^−½ F diag(√idf) of one relation, (I, K_r): its rows have length 1, or 0 for items without the relation.

        S_r = N Nᵀ is the idf-weighted cosine similarity of the items through that relation.
        """
        columns = np.flatnonzero(self.relations == relation)
        scaled = sp.csr_array(self.matrix[:, columns] * np.sqrt(self.idf[columns]))
        totals = np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel()
        inverse = np.divide(1, np.sqrt(totals), out=np.zeros_like(totals), where=totals > 0)
        return sp.csr_array(sp.diags_array(inverse) @ scaled)

    def scaled(self, relation_weights: Floats) -> sp.csr_array:
        """(I, K) with B0 = F Fᵀ − diag(F Fᵀ) = Σ_r relation_weights_r (S_r − diag S_r)."""
        inverse = self._inverse_lengths()
        coo = self.matrix.tocoo()
        relation = self.relations[coo.col]
        data = np.sqrt(relation_weights[relation] * self.idf[coo.col]) * inverse[coo.row, relation]
        parts = (data.astype(np.float32), self.matrix.indices, self.matrix.indptr)
        return sp.csr_array(parts, shape=self.matrix.shape)

    def _inverse_lengths(self) -> Floats:
        """(I, R) 1 / √(Σ idf of the item's features of the relation)."""
        num_relations = int(self.relations.max(initial=-1)) + 1
        columns = np.arange(len(self.relations))
        of_relation = sp.csr_array((self.idf, (columns, self.relations)), shape=(len(columns), num_relations))
        totals = sp.csr_array(self.matrix @ of_relation).toarray()
        return np.divide(1, np.sqrt(totals), out=np.zeros_like(totals), where=totals > 0)


def item_features(snapshot: Snapshot) -> Features:
    """The features of a snapshot's items, by relation code, then entity row. idf = log(1 + I / items with it)."""
    usable = usable_relations(snapshot)
    num_items, num_entities = len(snapshot.item_ids), len(snapshot.entity_ids)
    heads = np.concatenate([relation.heads for _, relation in usable] or [np.empty(0, np.int32)])
    keys = np.concatenate(
        [code * num_entities + relation.tails.astype(np.int64) for code, relation in usable] or [np.empty(0, np.int64)]
    )
    pairs, columns = np.unique(keys, return_inverse=True)
    ones = np.ones(len(heads), np.float32)
    matrix = sp.csr_array((ones, (heads, columns.ravel())), shape=(num_items, len(pairs)))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    matrix.sort_indices()
    counts = np.bincount(matrix.indices, minlength=len(pairs))
    entities = (pairs % max(num_entities, 1)).astype(np.int32)
    relations = (pairs // max(num_entities, 1)).astype(np.int16)
    return Features(matrix, entities, relations, np.log1p(num_items / np.maximum(counts, 1)).astype(np.float32))


def usable_relations(snapshot: Snapshot) -> list[tuple[int, Relations]]:
    """(code, relations) of the declared types from items to entities that may be scored."""
    declaration = snapshot.declaration
    hidden = {kind.label for kind in declaration.entity_types if kind.sensitive}
    codes = declaration.relation_code
    usable: list[tuple[int, Relations]] = []
    for relation in snapshot.relations:
        code = codes.get(relation.type)
        if code is None or (relation.head_kind, relation.tail_kind) != ("item", "entity"):
            continue
        kind = declaration.relation_types[code]
        if not kind.sensitive and kind.tail not in hidden:
            usable.append((code, relation))
    return usable
