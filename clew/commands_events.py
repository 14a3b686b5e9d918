"""clew events: what is in the log, what was put aside, and how it gets back in."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from api.admission import Admission
from api.metrics import Metrics
from clew import show
from clew.commands_graph import Json
from clew.settings import load_settings
from clew.signals import stop_on_signals
from clew.wiring import Graph, open_log, wire
from domain.errors import InvalidSource, ServerError
from ingest.log_contract import DeadLetter, DurableLog

PIECE = 1000
POLL_S = 0.2
ALL = 1_000_000
events = typer.Typer(help="Events that were posted.", no_args_is_help=True)
Limit = Annotated[int, typer.Option("-n", "--limit", help="The newest so many.", min=1, max=100_000)]


@events.command()
def tail(
    limit: Limit = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as records come, until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """Show the newest records of the log, oldest first. With --json, one line each."""
    with open_log(load_settings()) as log:
        offset = _print_records(log, max(0, log.last_offset() - limit), json=json)
        if follow:
            stop = threading.Event()
            stop_on_signals(stop)
            while not stop.wait(POLL_S):
                offset = _print_records(log, offset, json=json)


@events.command()
def stats(json: Json = False) -> None:
    """How much is in the log, how far Neo4j is behind, and what was put aside."""
    settings = load_settings()
    with open_log(settings) as log:
        found = {"log": log.where, "last_offset": log.last_offset(), "dead": log.dead_counts()}
    graph = Graph(settings)
    try:
        written = graph.writer_offset()
    except ServerError:
        written = None
    finally:
        graph.close()
    lag = None if written is None else max(0, int(str(found["last_offset"])) - written)
    if json:
        show.as_json({**found, "writer_offset": written, "writer_lag": lag})
        return
    show.out.print(show.plain(f"log           {found['log']}"))
    show.out.print(f"last offset   {found['last_offset']}")
    show.out.print(f"writer lag    {'not known: Neo4j does not answer' if lag is None else lag}")
    counts = msgspec.convert(found["dead"], dict[str, int])
    show.table("put aside", ("code", "events"), [(code, f"{count:,}") for code, count in counts.items()])
    show.hint("next: `clew events dead`, or `clew events tail`")


@events.command()
def dead(
    limit: Limit = 20,
    export: Annotated[
        Path | None, typer.Option(help="Write all of them to this file, oldest first, a JSON line each.")
    ] = None,
    json: Json = False,
) -> None:
    """List events that were rejected or wait, and why."""
    with open_log(load_settings()) as log:
        letters = log.dead(limit if export is None else ALL)
    if export is not None:
        export.write_bytes(b"".join(msgspec.json.encode(letter) + b"\n" for letter in reversed(letters)))
        show.out.print(show.plain(f"{len(letters):,} events are in {export}"))
        show.hint(f"next: mend `payload` where it is wrong, delete lines, then `clew events replay {export}`")
        return
    if json:
        show.as_json(letters)
        return
    if not letters:
        show.out.print("no event was rejected")
        return
    rows = [(str(letter.number), letter.code, letter.message, str(letter.payload)) for letter in letters]
    show.table("put aside, newest first", ("number", "code", "why", "event"), rows)
    show.hint("next: `clew events dead --export FILE`, mend the file, `clew events replay FILE`")


@events.command()
def replay(
    file: Annotated[
        Path | None, typer.Argument(help="What `dead --export` wrote, or events, a JSON line each. Left out: all.")
    ] = None,
    json: Json = False,
) -> None:
    """Post events again that were put aside. One that is taken leaves the list; one that is not stays as it was."""
    with wire(load_settings(), show.QuietProgress()) as wired:
        admission, log = Admission(wired.services, Metrics()), wired.log
        letters = _from_file(file) if file is not None else list(reversed(log.dead(ALL)))
        taken, refused = 0, list[dict[str, object]]()
        for start in range(0, len(letters), PIECE):
            piece = letters[start : start + PIECE]
            now_ms = time.time_ns() // 1_000_000
            verdicts = admission.post_again(
                [_whole(letter) for letter in piece], [letter.buried_at or now_ms for letter in piece]
            )
            log.unbury([one.number for one, why in zip(piece, verdicts, strict=True) if why is None and one.number])
            taken += verdicts.count(None)
            refused += [
                {"number": one.number or None, "code": why.code, "message": why.message, "payload": one.payload}
                for one, why in zip(piece, verdicts, strict=True)
                if why is not None
            ]
    if json:
        show.as_json({"taken": taken, "rejected": refused})
        return
    show.out.print(f"{taken:,} events were taken, {len(refused):,} were rejected again")
    rows = [(str(one["number"] or ""), str(one["code"]), str(one["message"])) for one in refused[:PIECE]]
    if rows:
        show.table("", ("number", "code", "why"), rows)
    show.hint("next: `clew events dead`")


def _whole(letter: DeadLetter) -> object:
    """The event with an id of its letter's where it has none, so that taken twice it counts once."""
    if letter.number == 0 or not isinstance(letter.payload, dict):
        return letter.payload
    return {"event_id": f"letter-{letter.number}-{letter.buried_at}", **letter.payload}


def _print_records(log: DurableLog, offset: int, *, json: bool) -> int:
    """Prints the records above an offset. Returns the last one's."""
    while records := log.read(offset):
        for number, record in records:
            line = msgspec.json.encode({"offset": number, **msgspec.to_builtins(record)}).decode()
            fields = {name: value for name, value in msgspec.to_builtins(record).items() if name != "record"}
            text = "  ".join(f"{name}={value}" for name, value in fields.items())
            show.out.print(line if json else f"{number}  {type(record).__name__}  {text}", markup=False)
        offset = records[-1][0]
    return offset


def _from_file(path: Path) -> Sequence[DeadLetter]:
    """The letters or plain events of a file; an event by itself has the number 0.

    Raises: InvalidSource naming the line that is no JSON.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InvalidSource(f"{path} cannot be read: {error.strerror}", field=str(path)) from error
    return list(_letters(path, text))


def _letters(path: Path, text: bytes) -> Iterator[DeadLetter]:
    for place, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            value: Any = msgspec.json.decode(line)
            is_letter = isinstance(value, dict) and "payload" in value and "number" in value
            plain = {"payload": value, "code": "", "message": "", "number": 0, "buried_at": 0}
            yield msgspec.convert(value if is_letter else plain, DeadLetter)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise InvalidSource(f"line {place} of {path} cannot be read: {error}", field=str(path)) from error
