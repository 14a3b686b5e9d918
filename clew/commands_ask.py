"""clew recommend, similar: the same answers as the API gives, in the terminal."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from clew import show
from clew.commands_graph import Json
from clew.settings import load_settings
from clew.wiring import wire
from domain.ids import clean_id
from recommend.recommender import Recommender
from recommend.request import RecommendRequest
from recommend.wording import DEFAULT

User = Annotated[str, typer.Argument(help="The id of a user.")]
Item = Annotated[str, typer.Argument(help="The id of an item.")]
Lang = Annotated[str, typer.Option(help="Language of the reasons: en, zh, or one of CLEW_TEXTS.")]
Without = Annotated[
    list[str] | None,
    typer.Option(help="As if an event (by its id) or an entity were not there; once for each."),
]
N = Annotated[int, typer.Option("-n", help="How many.", min=1, max=1000)]


def recommend(
    user: User,
    n: N = 10,
    seen: Annotated[bool, typer.Option("--seen", help="Also what the user has had.")] = False,
    lang: Lang = DEFAULT,
    without: Without = None,
    json: Json = False,
) -> None:
    """The best items for a user, each with its strongest reason."""
    with open_recommender() as recommender:
        request = RecommendRequest(user_id=user, n=n, exclude_seen=not seen, lang=lang, without=tuple(without or ()))
        ranked = recommender.recommend(request)
    if json:
        show.as_json(ranked)
        return
    rows = [
        (str(item.rank), item.item_id, item.name, f"{item.score:.3f}", item.reasons[0].text if item.reasons else "")
        for item in ranked.items
    ]
    told = "a popular list: this user is unknown" if ranked.fallback else f"strategy {ranked.strategy}"
    show.table(f"for {show.plain(user)}, {told}", ("rank", "item", "name", "score", "because"), rows)
    if ranked.items:
        show.hint(f"next: `clew explain {user} {ranked.items[0].item_id}`")


def similar(item: Item, n: N = 10, json: Json = False) -> None:
    """The items nearest to an item."""
    with open_recommender() as recommender:
        near = recommender.similar_items(clean_id(item, field="item"), n)
    if json:
        show.as_json(near)
        return
    rows = [(one.id, one.name or "", f"{one.similarity:.3f}", ", ".join(one.shared)) for one in near]
    show.table(f"like {show.plain(item)}", ("item", "name", "similarity", "in common"), rows)
    show.hint("next: `clew recommend USER`")


@contextmanager
def open_recommender() -> Generator[Recommender]:
    """The recommender of the settings; models that were passed over are named."""
    with wire(load_settings(), show.QuietProgress()) as wired:
        for damaged in wired.damaged:
            show.hint(damaged.message)
        yield wired.services.recommender
