"""What a terminal shows: tables and JSON on standard output; progress, hints and errors on standard error."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

out = Console(soft_wrap=True, highlight=False)
notes = Console(stderr=True, soft_wrap=True, highlight=False)


class TerminalProgress:
    """A bar while a step runs, and one line with its seconds afterwards."""

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        started = time.perf_counter()
        with QuietProgress().step(name, total) as advance:
            yield advance
        many = f"{total:,}  " if total else ""
        notes.print(f"  {plain(name)}  [dim]{many}{time.perf_counter() - started:.1f} s[/dim]")


class QuietProgress:
    """A bar while a step runs and nothing afterwards: for commands whose answer is what matters."""

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        counted = (MofNCompleteColumn(),) if total is not None else ()
        hidden = not notes.is_terminal  # a file or a pipe gets no bars
        with Progress(*columns, *counted, console=notes, transient=True, disable=hidden) as bar:
            task = bar.add_task(plain(name), total=total)
            yield lambda count: bar.advance(task, count)


def as_json(value: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table; its cells are plain text, whatever they hold."""
    drawn = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(plain(cell) for cell in row))
    out.print(drawn)


def plain(text: str) -> str:
    """The text with what the terminal library would take for markup escaped."""
    return text.replace("[", "\\[")


def hint(text: str) -> None:
    """What to do next."""
    notes.print(f"[dim]{text}[/dim]")
