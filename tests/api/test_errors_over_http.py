"""Every error of the domain has a status."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest

from api.errors import STATUS, encodable, status_of
from domain import errors
from domain.errors import ClewError


def tree(kind: type[ClewError]) -> Iterator[type[ClewError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


ALL = list(tree(ClewError))
SERVER_FAULTS = {"clew_error", "invalid_mapping", "invalid_source", "invalid_settings"}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_of_its_own_or_its_kin(kind: type[ClewError]) -> None:
    status = status_of(kind)
    assert HTTPStatus(status)
    assert (status == 500) is (kind.code in SERVER_FAULTS), kind
    assert kind is ClewError or any(parent in STATUS for parent in kind.__mro__ if parent is not ClewError)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.InvalidId, 422),
        (errors.AllRejected, 422),
        (errors.EventConflict, 409),
        (errors.UnknownItem, 404),
        (errors.Gone, 410),
        (errors.Unauthorized, 401),
        (errors.Forbidden, 403),
        (errors.GraphUnavailable, 503),
        (errors.LogFull, 507),
        (errors.Backlog, 503),
        (errors.NoModel, 503),
    ],
)
def test_the_statuses_that_the_contract_names(kind: type[ClewError], status: int) -> None:
    assert status_of(kind) == status


def test_codes_are_unique_and_stand_in_the_drawing() -> None:
    assert len({kind.code for kind in ALL}) == len(ALL)
    assert errors.__doc__ is not None
    for kind in ALL:
        assert kind.__name__ in errors.__doc__


def test_text_of_a_client_can_always_be_sent_back() -> None:
    assert encodable("a\ud800b") == "a?b"
    assert encodable("x" * 2000) == "x" * 1000 + "…"
