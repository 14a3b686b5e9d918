"""clew why-not, clew ledger: why an item is not in a list, and answers that were given."""

from typing import Annotated

import typer

from clew import show
from clew.commands_ask import Item, N, User, open_recommender
from clew.commands_graph import Json
from clew.settings import load_settings
from clew.wiring import wire
from domain.errors import UnknownRecommendation
from domain.ids import clean_id
from domain.ledger import LedgerCandidate
from domain.why_not import Helper, WhyNot
from recommend.ledger import Ledger
from recommend.request import RecommendRequest
from recommend.texts_why_not import LANGUAGES

MOST_SHOWN = 25  # candidates; --json has them all
ledger = typer.Typer(help="Answers that were given: what was considered, and what became of it.", no_args_is_help=True)


def why_not(
    user: User,
    item: Item,
    n: N = 10,
    lang: Annotated[str, typer.Option(help="Language of the sentence: en or zh.")] = "en",
    json: Json = False,
) -> None:
    """Why an item is not in a user's list, how far away it is, and what would bring it in."""
    if lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang} is not one of {', '.join(LANGUAGES)}", param_hint="--lang")
    with open_recommender() as recommender:
        request = RecommendRequest(user_id=user, n=n, strict=True)
        told = recommender.why_not(request, clean_id(item, field="item"), lang)
    if json:
        show.as_json(told)
        return
    show.out.print(show.plain(told.text))
    if told.entities:
        show.table("what it has and the user lacks", _COLUMNS, [_row(one, one.entity or "") for one in told.entities])
    if told.items:
        show.table("what would lift it, if taken now", _COLUMNS, [_row(one, "") for one in told.items])
    for line in further(told):
        show.out.print(show.plain(line))
    show.hint(f"next: `clew explain {user} {item}`")


_COLUMNS = ("entity", "item", "name", "score", "place", "")


def _row(one: Helper, entity: str) -> tuple[str, ...]:
    return entity, one.item_id, one.name, f"{one.adds:+.3f}", str(one.rank), "in the list" if one.brings_in else ""


def further(told: WhyNot) -> list[str]:
    """What would bring the item in, beside single items."""
    lines = [
        f"stating a taste for {one.entity} would put it at place {one.rank}{' of the list' if one.brings_in else ''}"
        for one in told.tastes
    ]
    if told.together is not None:
        ids, place = ", ".join(told.together.item_ids), told.together.rank
        lines.append(f"all of {ids} together would put it at place {place}")
    return lines


@ledger.command(name="show")
def show_answer(
    recommendation_id: Annotated[str, typer.Argument(help="The recommendation_id of an answer.")], json: Json = False
) -> None:
    """One answer again: its items, and every candidate with its score, its place or what kept it out."""
    with wire(load_settings(), show.QuietProgress()) as wired:
        entry = _kept(wired.services.ledger).get(recommendation_id, wired.services.world.view().catalogue.name_of)
    if json:
        show.as_json(entry)
        return
    whom = entry.user_id or "somebody without a name"
    show.out.print(show.plain(f"{entry.at}, for {whom}: strategy {entry.strategy}, model {entry.model_version}"))
    show.out.print(show.plain(f"asked: {entry.request}; graph {entry.graph.snapshot}, log {entry.graph.log_offset}"))
    shown = [one for one in entry.candidates if one.rank is not None]
    others = [one for one in entry.candidates if one.rank is None]
    best = [*sorted(shown, key=lambda one: one.rank or 0), *others][:MOST_SHOWN]
    columns = ("rank", "item", "name", "model", "score", "model's place", "moved", "rules, or what kept it out")
    show.table("", columns, [candidate_row(one) for one in best])
    if len(entry.candidates) > len(best):
        show.out.print(f"and {len(entry.candidates) - len(best)} more: --json has them all")
    for note in (*entry.notes, *(one for one in entry.warnings if one not in entry.notes)):
        show.out.print(show.plain(f"note: {note}"))


def candidate_row(one: LedgerCandidate) -> tuple[str, ...]:
    """A row of the table: its place or what kept it out, what the model thought of it, and what rules did."""
    rules = ", ".join(f"{effect.effect} by {effect.rule_id}" for effect in one.rules)
    removed = one.removed
    kept_out = "" if removed is None else " ".join(filter(None, (removed.code, removed.rule_id, removed.detail)))
    return (
        "" if one.rank is None else str(one.rank),
        one.item_id,
        one.name or "",
        f"{one.model_score:.3f}",
        f"{one.score:.3f}",
        str(one.model_rank or ""),
        "" if not one.moved else f"{one.moved:+d}",
        rules or kept_out,
    )


@ledger.command(name="list")
def list_answers(
    user: Annotated[str | None, typer.Option(help="Only answers to this user.")] = None, n: N = 20, json: Json = False
) -> None:
    """Answers of late, newest first."""
    with wire(load_settings(), show.QuietProgress()) as wired:
        lines = _kept(wired.services.ledger).newest(n, None if user is None else clean_id(user, field="user"))
    if json:
        show.as_json(lines)
        return
    rows = [(one.at, one.recommendation_id, one.user_id or "", " ".join(one.item_ids[:10])) for one in lines]
    show.table("", ("given", "answer", "user", "items"), rows)
    show.hint("next: `clew ledger show ANSWER`")


def _kept(found: Ledger | None) -> Ledger:
    if found is None:
        raise UnknownRecommendation("no answers are kept; see CLEW_LEDGER_DAYS")
    return found
