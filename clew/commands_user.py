"""clew user: what is held of a person, and how they are erased."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from clew import show
from clew.commands_graph import Json
from clew.settings import load_settings
from clew.wiring import wire
from domain.erasure import ErasureReceipt
from domain.ids import clean_id
from recommend.erasure import Eraser
from recommend.person import export_person

user = typer.Typer(help="What is held of a person.", no_args_is_help=True)
Person = Annotated[str, typer.Argument(help="The id of a user.")]


@user.command()
def erase(
    person: Person,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete everything about a person, and refuse them from now on. It cannot be undone."""
    user_id = clean_id(person, field="user")
    if not yes and not json:
        typer.confirm(f"Delete everything about {user_id!r}, for ever?", abort=True)
    with _opened() as eraser:
        _tell(eraser.erase(user_id), json=json)


@user.command()
def erasure(person: Person, json: Json = False) -> None:
    """Where an erasure stands: store by store, what is gone and what goes when."""
    with _opened() as eraser:
        _tell(eraser.receipt(clean_id(person, field="user")), json=json)


@user.command()
def export(
    person: Person,
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead of the terminal.")] = None,
    json: Json = False,
) -> None:
    """Everything that is held of a person, as one JSON document (with or without --json)."""
    with _opened() as eraser:
        found = export_person(eraser, clean_id(person, field="user"))
    if out is None:
        show.as_json(found)
        return
    out.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    if json:
        show.as_json({"user_id": found.user_id, "file": str(out)})
        return
    show.out.print(show.plain(f"{len(found.log):,} records and {len(found.snapshot):,} loaded events are in {out}"))


def _tell(receipt: ErasureReceipt, *, json: bool) -> None:
    if json:
        show.as_json(receipt)
        return
    rows = [
        (one.store, one.state, "" if one.removed is None else f"{one.removed:,}", one.by or "")
        for one in receipt.stores
    ]
    show.table(f"{show.plain(receipt.user_id)}, erased at {receipt.erased_at}", ("store", "", "held", "by"), rows)
    show.hint(f"next: `clew user erasure {receipt.user_id}` shows what is gone by then")


@contextmanager
def _opened() -> Generator[Eraser]:
    with wire(load_settings(), show.QuietProgress()) as wired:
        assert wired.services.eraser is not None  # clew.wiring makes one
        yield wired.services.eraser
