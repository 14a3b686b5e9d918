"""clew recommend, explain, similar: the same answers as the API gives, in the terminal."""

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

User = Annotated[str, typer.Argument(help="The id of a user.")]
Item = Annotated[str, typer.Argument(help="The id of an item.")]
MOST_REASONS = 8  # the strongest; --json has them all
N = Annotated[int, typer.Option("-n", help="How many.", min=1, max=1000)]


def recommend(
    user: User,
    n: N = 10,
    seen: Annotated[bool, typer.Option("--seen", help="Also what the user has had.")] = False,
    json: Json = False,
) -> None:
    """The best items for a user, each with its strongest reason."""
    with open_recommender() as recommender:
        ranked = recommender.recommend(RecommendRequest(user_id=user, n=n, exclude_seen=not seen))
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


def explain(user: User, item: Item, json: Json = False) -> None:
    """Why an item would be recommended to a user: its score, split exactly, and the paths behind it."""
    with open_recommender() as recommender:
        found = recommender.explain(clean_id(user, field="user"), clean_id(item, field="item"))
    if json:
        show.as_json(found)
        return
    place = f"rank {found.rank}" if found.rank else "not ranked"
    show.out.print(show.plain(f"{found.name} ({found.item_id}) for {found.user_id}: score {found.score:.3f}, {place}"))
    rows = [(part.name, f"{part.value:+.3f}", f"{part.share:.0%}") for part in found.parts]
    show.table("", ("part", "value", "share"), rows)
    for reason in found.reasons[:MOST_REASONS]:
        checked = "" if reason.path is None else "  (path found in Neo4j)" if reason.path.verified else "  (unchecked)"
        show.out.print(show.plain(f"* {reason.text}  {reason.share:.0%}{checked}"))
    if len(found.reasons) > MOST_REASONS:
        show.out.print(f"  and {len(found.reasons) - MOST_REASONS} weaker ones: --json has them all")
    if found.cypher:
        show.out.print(show.plain(f"\nin Neo4j Browser:\n{found.cypher}"))
    show.hint(f"next: `clew similar {item}`")


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
