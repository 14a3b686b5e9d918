"""clew export, restore: the log into a file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from clew import backup, show
from clew.commands_graph import Json
from clew.settings import load_settings
from clew.wiring import open_log

File = Annotated[Path, typer.Argument(help="JSON lines. It holds personal data.")]


def export(file: File, json: Json = False) -> None:
    """Write every record of the log into a file: a backup, or for another CLEW_EVENTS."""
    with open_log(load_settings()) as log, show.TerminalProgress().step("Writing records") as advance:
        count = backup.export_log(log, file, advance)
    if json:
        show.as_json({"file": str(file), "records": count})
        return
    show.out.print(show.plain(f"{count:,} records are in {file}"))
    show.hint(f"next: `clew restore {file}` puts them into an empty log; keep CLEW_HOME/erasures.db beside the file")


def restore(file: File, json: Json = False) -> None:
    """Fill an empty log from a file of `clew export`. People who were erased here since then stay out of it."""
    settings = load_settings()
    with open_log(settings) as log, show.TerminalProgress().step("Reading records") as advance:
        told = backup.restore_log(settings, log, file, advance)
    if json:
        show.as_json(dict(told))
        return
    left_out = ", ".join(f"{count:,} {code}" for code, count in sorted(told.items()) if code != "accepted")
    show.out.print(f"{told['accepted']:,} records are in the log" + (f"; left out: {left_out}" if left_out else ""))
    show.hint("next: load the sources again with `clew ingest`, then `clew serve`")
