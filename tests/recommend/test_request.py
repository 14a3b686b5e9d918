import pytest

from domain.errors import InvalidId, InvalidRequest
from recommend.request import Preference, RecommendRequest, SessionEvent


def test_a_request_needs_exactly_one_subject() -> None:
    with pytest.raises(InvalidRequest, match="got none of them"):
        RecommendRequest()
    with pytest.raises(InvalidRequest, match="got user_id and session"):
        RecommendRequest(user_id="ann", session=(SessionEvent("pulp"),))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"user_id": "ann", "n": 0}, "n"),
        ({"user_id": "ann", "n": 1001}, "n"),
        ({"user_id": "ann", "item_ids": tuple(map(str, range(1001)))}, "item_ids"),
        ({"session": ()}, "session"),
        ({"preferences": ()}, "preferences"),
        ({"preferences": (Preference("Genre:crime", 0.0),)}, "preferences"),
        ({"preferences": (Preference("Genre:crime", float("nan")),)}, "preferences"),
    ],
)
def test_bad_fields_are_named(fields: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        RecommendRequest(**fields)  # pyright: ignore[reportArgumentType]
    assert raised.value.field == field


def test_bad_ids_are_refused_with_their_field() -> None:
    with pytest.raises(InvalidId) as raised:
        RecommendRequest(user_id="ann", item_ids=("pulp", "a\nb"))
    assert raised.value.field == "item_ids"
    with pytest.raises(InvalidId):
        RecommendRequest(user_id="")


def test_item_ids_count_once_and_keep_their_order() -> None:
    assert RecommendRequest(user_id="ann", item_ids=("b", "a", "b")).item_ids == ("b", "a")


def test_the_length_is_ten_or_all_asked_for_items() -> None:
    assert RecommendRequest(user_id="ann").length == 10
    assert RecommendRequest(user_id="ann", item_ids=("a",)).length == 1000
    assert RecommendRequest(user_id="ann", item_ids=("a",), n=3).length == 3
