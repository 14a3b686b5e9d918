"""clew explain: why an item, in the terminal or as a file."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic_core import PydanticCustomError

from api.types import zoned_time
from clew import show
from clew.commands_ask import Item, Lang, N, User, Without, open_recommender
from clew.commands_graph import Json
from domain.answers import Explanation
from domain.errors import InvalidRequest
from domain.ids import clean_id
from recommend.formats import counterfactual_lines, rendered
from recommend.request import ExplainRequest
from recommend.wording import DEFAULT

MOST_REASONS = 8  # the strongest; --json has them all
Format = Literal["json", "text", "graphml", "node-link", "svg", "png"]


def explain(
    user: User,
    item: Item,
    n: N = 10,
    lang: Lang = DEFAULT,
    without: Without = None,
    counterfactual: Annotated[
        bool,
        typer.Option("--counterfactual", help="The fewest of the user's items without which it is not in the list."),
    ] = False,
    format: Annotated[
        Format, typer.Option("--format", help="graphml, node-link, svg and png need clew[analyst].")
    ] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of the terminal.")] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Why it was recommended then: ISO 8601 with a zone; from the ledger.")
    ] = None,
    json: Json = False,
) -> None:
    """Why an item would be recommended to a user: its score, split exactly, and the paths behind it."""
    if as_of is not None:
        _explain_then(user, item, as_of, as_json=json)
        return
    if format == "png" and output is None and sys.stdout.isatty():
        raise InvalidRequest("a PNG is nothing for a terminal; name a file with --output", field="--output")
    request = ExplainRequest(
        user_id=user,
        item_id=item,
        lang=lang,
        n=n,
        without=tuple(without or ()),
        has_counterfactual=counterfactual,
    )
    with open_recommender() as recommender:
        found = recommender.explain_fully(request)
    if output is not None:
        output.write_bytes(rendered(found, "json" if json else format))
        show.hint(f"written: {output}")
    elif json or format == "json":
        show.as_json(found)
    elif format != "text":
        sys.stdout.buffer.write(rendered(found, format))
    else:
        _tell(found)
        show.hint(f"next: `clew explain {user} {item} --counterfactual`, or `--format svg -o why.svg`")


def _explain_then(user: str, item: str, as_of: str, *, as_json: bool) -> None:
    up_to_ms = _time_of(as_of)
    with open_recommender() as recommender:
        found = recommender.explained_then(clean_id(user, field="user"), clean_id(item, field="item"), up_to_ms)
    if as_json:
        show.as_json(found)
        return
    place = f"rank {found.rank}, score {found.score:.3f}"
    show.out.print(show.plain(f"{found.name} ({found.item_id}) for {found.user_id}, {found.at}: {place}"))
    for reason in found.reasons:
        states = sorted({edge.state for edge in reason.path.edges}) if reason.path else []
        now = f"  (its edges now: {', '.join(states)})" if states else ""
        show.out.print(show.plain(f"* {reason.text}  {reason.share:.0%}{now}"))
    show.hint(f"next: `clew ledger show {found.recommendation_id}`")


def _time_of(text: str) -> int:
    """Raises: InvalidRequest for a text that is no ISO 8601 time with a zone."""
    try:
        return zoned_time(text)
    except PydanticCustomError as error:
        raise InvalidRequest(f"--as-of: {error.message()}", field="as_of") from error


def _tell(found: Explanation) -> None:
    place = f"rank {found.rank}" if found.rank else "not ranked"
    show.out.print(show.plain(f"{found.name} ({found.item_id}) for {found.user_id}: score {found.score:.3f}, {place}"))
    rows = [(part.name, f"{part.value:+.3f}", f"{part.share:.0%}") for part in found.parts]
    show.table("", ("part", "value", "share"), rows)
    for reason in found.reasons[:MOST_REASONS]:
        checked = "" if reason.path is None else "  (path found in Neo4j)" if reason.path.verified else "  (unchecked)"
        share = "context" if reason.context else f"{reason.share:.0%}"
        show.out.print(show.plain(f"* {reason.text}  {share}{checked}"))
    if len(found.reasons) > MOST_REASONS:
        show.out.print(f"  and {len(found.reasons) - MOST_REASONS} weaker ones: --json has them all")
    if found.change is not None:
        show.out.print(f"\nwithout: {found.change.score_change:+.4f} from {found.change.score:.4f}")
    for line in counterfactual_lines(found):
        show.out.print(show.plain(line))
    if found.cypher:
        show.out.print(show.plain(f"\nin Neo4j Browser:\n{found.cypher}"))
