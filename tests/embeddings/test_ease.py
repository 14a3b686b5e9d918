"""EASE against its definition, and its dual form against the primal."""

import numpy as np
import pytest

from domain.errors import InvalidRequest
from domain.progress import Silent
from embeddings.scorers import ease
from embeddings.scorers.contract import training_matrix
from embeddings.scorers.ease import DualEase, fit_ease, fit_edlae, item_weights
from tests.embeddings.checkerboard import checkerboard


def test_the_weights_solve_the_ridge_regression_of_each_item_on_the_others() -> None:
    matrix = training_matrix(checkerboard()).toarray().astype(np.float64)
    weights = item_weights(matrix.T @ matrix, np.full(40, 7.0))
    assert np.abs(np.diag(weights)).max() == 0
    others = np.delete(matrix, 3, axis=1)
    column = np.linalg.solve(others.T @ others + 7 * np.eye(39), others.T @ matrix[:, 3])
    np.testing.assert_allclose(np.delete(weights[:, 3], 3), column, atol=1e-10)


def test_the_dual_form_gives_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = checkerboard()
    rows = np.arange(60)
    primal = fit_ease(snapshot, {"ridge": 5.0}, 0, Silent())
    monkeypatch.setattr(ease, "MOST_ITEMS", 30)
    dual = fit_ease(snapshot, {"ridge": 5.0}, 0, Silent())
    assert isinstance(dual, DualEase)
    np.testing.assert_allclose(dual.score(rows), primal.score(rows), atol=1e-4)
    for user, item in ((0, 0), (3, 5), (7, 2)):
        total = sum(dual.contributions(user, item).values())
        assert total == pytest.approx(float(dual.score(np.array([user]))[0, item]), abs=1e-4)
        assert dual.contributions(user, item) == pytest.approx(primal.contributions(user, item), abs=1e-4)
    np.testing.assert_allclose(dual.fold_in(snapshot).score(rows), dual.score(rows))


def test_many_items_and_many_users_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "MOST_ITEMS", 30)
    monkeypatch.setattr(ease, "MOST_USERS", 30)
    with pytest.raises(InvalidRequest, match="40 items need 0 GiB, and 30 items are the most"):
        fit_ease(checkerboard(), {"ridge": 5.0}, 0, Silent())


def test_dropout_is_a_ridge_in_proportion_to_popularity() -> None:
    snapshot = checkerboard()
    matrix = training_matrix(snapshot).toarray().astype(np.float64)
    gram = matrix.T @ matrix
    expected = item_weights(gram.copy(), 5 + 0.25 / 0.75 * np.diag(gram))
    fitted = fit_edlae(snapshot, {"ridge": 5.0, "dropout": 0.25}, 0, Silent())
    np.testing.assert_allclose(fitted.score(np.arange(60)), matrix @ expected, atol=1e-4)
