"""clew rules: merchandising rules from the terminal, by the same checks as the API makes."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from clew import show
from clew.commands_graph import Json
from clew.settings import load_settings
from clew.wiring import wire
from domain.errors import InvalidSource
from domain.ids import clean_id
from domain.rule_answers import PreviewItem, RuleOut

if TYPE_CHECKING:
    from api.rule_writes import RuleWrites  # FastAPI comes with it: only these commands pay for that
    from api.schemas_rules import RuleIn

rules = typer.Typer(help="Merchandising rules: what is pinned, boosted, hidden or mixed in.", no_args_is_help=True)
RuleId = Annotated[str, typer.Argument(help="The id of a rule.")]
File = Annotated[Path, typer.Argument(help="A JSON file with the rule, as `clew rules show ID --json` gives it.")]
Version = Annotated[int | None, typer.Option(help="Only if the rule is at this version; 0: only if there is none.")]
BY = "command line"


@rules.command("list")
def list_rules(json: Json = False) -> None:
    """All rules, by falling priority."""
    with open_rules() as opened:
        found = opened.all()
    if json:
        show.as_json(found)
        return
    rows = [
        (one.rule_id, str(one.rule.get("priority", 0)), one.rule["consequence"]["effect"], _state(one), _told(one))
        for one in found.rules
    ]
    show.table("rules", ("id", "priority", "effect", "", "description"), rows)
    show.hint("next: `clew rules show ID`" if rows else "next: `clew rules put ID FILE`; see docs/rules.md")


@rules.command("show")
def show_rule(rule_id: RuleId, json: Json = False) -> None:
    """One rule, with warnings about it."""
    with open_rules() as opened:
        found = opened.get(clean_id(rule_id, field="rule_id"))
    _tell(found, as_json=json)
    show.hint(f"next: `clew rules history {rule_id}`")


@rules.command()
def put(rule_id: RuleId, file: File, if_version: Version = None, json: Json = False) -> None:
    """Make or replace a rule. It holds from the next list on, on every server of this log."""
    rule = _read(file).as_rule()
    with open_rules() as opened:
        found, created = opened.put(clean_id(rule_id, field="rule_id"), rule, if_version, BY)
    _tell(found, as_json=json)
    show.hint(f"{'made' if created else 'stored'}; next: `clew rules list`")


@rules.command()
def delete(rule_id: RuleId, if_version: Version = None) -> None:
    """Delete a rule. Its versions stay."""
    with open_rules() as opened:
        opened.delete(clean_id(rule_id, field="rule_id"), if_version, BY)
    show.hint(f"deleted; `clew rules history {rule_id}` still tells what it was")


@rules.command()
def preview(
    file: File,
    user: Annotated[list[str] | None, typer.Option("--user", help="Whose list; once for each [five users].")] = None,
    n: Annotated[int, typer.Option("-n", help="How many items.", min=1, max=100)] = 10,
    placement: Annotated[str | None, typer.Option(help="As if the list were shown there.")] = None,
    json: Json = False,
) -> None:
    """Lists of some users as they are and with the rule of a file, which is not stored."""
    from api.schemas_rules import PreviewIn

    asked = PreviewIn(rule=_read(file), user_ids=user, n=n, placement=placement)
    with open_rules() as opened:
        found = opened.preview(asked)
    if json:
        show.as_json(found)
        return
    for one in found.lists:
        pairs = zip(_column(one.before, n), _column(one.after, n), strict=True)
        rows = [(str(rank), *pair) for rank, pair in enumerate(pairs, start=1) if any(pair)]
        show.table(f"for {show.plain(one.user_id)}", ("rank", "as it is", "with the rule"), rows)
        for note in one.notes:
            show.out.print(show.plain(note))
    _warn(found.warnings)
    show.hint(f"{found.changed} of {len(found.lists)} lists change; next: `clew rules put ID {file}`")


@rules.command()
def history(rule_id: RuleId, json: Json = False) -> None:
    """Who changed a rule, and when."""
    with open_rules() as opened:
        found = opened.history(clean_id(rule_id, field="rule_id"))
    if json:
        show.as_json(found)
        return
    rows = [
        (str(one.version), one.at, one.by, "deleted" if one.rule is None else msgspec.json.encode(one.rule).decode())
        for one in found.versions
    ]
    show.table(f"versions of {show.plain(rule_id)}", ("version", "at", "by", "rule"), rows)
    show.hint("all versions" if found.complete else "Neo4j does not answer: older versions may be missing")


@contextmanager
def open_rules() -> "Generator[RuleWrites]":
    """The rules of the settings' log and graph."""
    from api.state import AppState

    with wire(load_settings(), show.QuietProgress()) as wired:
        yield AppState.of(wired.services).rules


def _read(file: Path) -> "RuleIn":
    """Raises: InvalidSource for a file that is not there or is no rule, naming the field."""
    from pydantic import ValidationError

    from api.schemas_rules import RuleIn

    try:
        content = msgspec.json.decode(file.read_bytes())
        if isinstance(content, dict) and "rule" in content and "rule_id" in content:
            content = content["rule"]  # what `show --json` tells
        return RuleIn.model_validate(content)
    except OSError as error:
        raise InvalidSource(f"cannot read {file}: {error.strerror}", field="file") from error
    except msgspec.DecodeError as error:
        raise InvalidSource(f"{file} is not JSON: {error}", field="file") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the whole"
        raise InvalidSource(f"{file} is no rule: {where}: {fault['msg']}", field=where) from error


def _tell(found: RuleOut, *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
        return
    by = f"version {found.version}, {found.updated_at} by {found.updated_by}"
    show.out.print(show.plain(f"{found.rule_id}: {_state(found) or 'enabled'}, {by}"))
    show.out.print(show.plain(msgspec.json.format(msgspec.json.encode(found.rule), indent=2).decode()))
    _warn(found.warnings)


def _warn(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        show.out.print(show.plain(f"warning: {warning}"))


def _state(rule: RuleOut) -> str:
    return "" if rule.rule.get("enabled", True) else "switched off"


def _told(rule: RuleOut) -> str:
    return str(rule.rule.get("description", ""))


def _column(items: tuple[PreviewItem, ...], n: int) -> list[str]:
    return [_cell(item) for item in items] + [""] * (n - len(items))


def _cell(item: PreviewItem) -> str:
    """The item, where it moved to, and what did it."""
    moved = "" if item.moved == 0 else " (new)" if item.moved is None else f" ({item.moved:+d})"
    return f"{item.name}{moved}" + "".join(f" [{effect.effect} {effect.rule_id}]" for effect in item.rules)
