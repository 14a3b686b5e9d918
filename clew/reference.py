"""The reference pages under docs/reference/ and .env.example, written from the code. `--check` compares instead.

Run as `python -m clew.reference`.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from api.app import openapi_document
from api.errors import status_of
from api.openapi import PROBLEMS
from clew.cli import app as command_line
from clew.settings import Settings, environment_name
from domain import errors
from domain.declarations import Declaration
from ingest.sources import declarations

ROOT = Path(__file__).parents[1]
NOTE = "<!-- Written by `make docs` from the code. Edit the code, not this page. -->\n\n"


def main() -> int:
    """Writes every page; with --check writes nothing and returns 1 when a page is not what the code says."""
    pages = {ROOT / path: build() for path, build in PAGES.items()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not what the code says; run `make docs`\n")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages[path])
    return 0


def command_page() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(command_line)
    lines = ["# Command line", "", "Exit code 0: done. 1: an error, said in one line. 2: wrong usage.", ""]
    for name, command in _commands(root, "clew"):
        lines += [f"## `{name}`", "", inspect.cleandoc(command.help or ""), ""]
        rows = [_parameter_row(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| argument or option | default | what it is |", "|---|---|---|", *rows, ""]
    return NOTE + "\n".join(lines)


def settings_page() -> str:
    """Every setting with its default."""
    lines = ["# Settings", "", "From the environment, or from a file `.env` in the folder where a command runs.", ""]
    lines += ["An unknown `CLEW_` key is an error.", "", "| variable | default | what it is |", "|---|---|---|"]
    for name, described in Settings.model_fields.items():
        default = described.get_default(call_default_factory=True)
        shown = "" if default in (None, "", ()) else f"`{default}`"
        lines.append(f"| `{environment_name(name)}` | {shown} | {described.description} |")
    return NOTE + "\n".join([*lines, ""])


def environment_file() -> str:
    """`.env.example`: every setting, commented out, with its default."""
    lines = ["# Copy to .env and uncomment what you change. `clew` reads .env in the folder where it runs.", ""]
    for name, described in Settings.model_fields.items():
        default = described.get_default(call_default_factory=True)
        shown = "" if default in (None, ()) else default
        lines += [f"# {described.description}", f"# {environment_name(name)}={shown}", ""]
    return "\n".join(lines)


def api_page() -> str:
    """Every call of the HTTP API with its parameters, the fields of its body, and its answers."""
    document = openapi_document()
    lines = ["# HTTP API", "", "The same, with schemas to try out, is served under `/docs` and `/openapi.json`.", ""]
    lines += [
        "What went wrong is a problem document (`application/problem+json`) with a `code` ([list](errors.md))",
        "",
    ]
    lines += ["and a `request_id`. Statuses mean the same everywhere:", "", "| status | meaning |", "|---|---|"]
    lines += [f"| `{status}` | {_cell(text)} |" for status, text in PROBLEMS.items()]
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            lines += ["", f"## `{method.upper()} {path}`", "", (call.get("description") or call["summary"]).strip(), ""]
            rows = [f"| `{p['name']}` | {p['in']} | {_text_of(p)} |" for p in call.get("parameters", [])]
            rows += _body_rows(document, call)
            lines += ["| field | in | what it is |", "|---|---|---|", *rows, ""] if rows else []
            fine = [f"`{code}` {_cell(a['description'])}" for code, a in call["responses"].items() if code < "400"]
            wrong = [f"`{code}`" for code in call["responses"] if code >= "400"]
            lines.append(" ".join([*fine, f"Problems: {', '.join(wrong)}." if wrong else ""]).strip())
    return NOTE + "\n".join([*lines, ""])


def graph_page() -> str:
    """What each built-in source puts into the graph."""
    lines = ["# Graph model", "", "Every graph has these:", ""]
    lines += [
        "- `(:User {id})` and `(:Item {id, name, item_kind, available, created_at})`;",
        '- `(:Entity:<Label> {id, name, degree})`, where the id is `"Label:key"`.',
        "- `(:User)-[:INTERACTED {event_id, kind, value, at, session_id}]->(:Item)`, one per event.",
        "- `(:User)-[:FOLLOWS]->(:User)` and `(:User)-[:PREFERS {weight}]->(:Entity)`.",
        "- `(:Model {version, trained_at, metrics})`.",
        "- `(:Rule {id, version, effect, enabled, priority, body, by, at})-[:HAS_VERSION]->(:RuleVersion)`.",
        "- `Item.embedding` and `Entity.embedding`, with `embedding_version`.",
        "- `(:Clew {id, ...})`: Clew's own notes (the declaration, the writer's offset, the last load).",
        "",
    ]
    for declaration in declarations():
        lines += _declaration_lines(declaration)
    return NOTE + "\n".join(lines)


def errors_page() -> str:
    """The error tree with codes and HTTP status."""
    tree = inspect.getdoc(errors) or ""
    lines = ["# Errors", "", "```text", tree, "```", "", "| code | HTTP status | error |", "|---|---|---|"]
    lines += [f"| `{kind.code}` | {status_of(kind)} | {kind.__name__} |" for kind in _tree(errors.ClewError)]
    return NOTE + "\n".join([*lines, ""])


PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/cli.md": command_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/api.md": api_page,
    "docs/reference/graph.md": graph_page,
    "docs/reference/errors.md": errors_page,
    ".env.example": environment_file,
}


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Each command that does something, with its full name. Typer's own copy of click has no public types."""
    children = getattr(command, "commands", None)
    if children is not None:
        for child in children.values():
            yield from _commands(child, f"{name} {child.name}")
    elif not command.hidden:
        yield name, command


def _parameter_row(parameter: Any) -> str:
    option = parameter.param_type_name == "option"
    name = ", ".join(parameter.opts + parameter.secondary_opts) if option else (parameter.name or "").upper()
    default = "" if parameter.default in (None, False) or callable(parameter.default) else f"`{parameter.default}`"
    return f"| `{name}` | {default} | {_cell(getattr(parameter, 'help', None) or '')} |"


def _body_rows(document: dict[str, Any], call: dict[str, Any]) -> list[str]:
    """The fields of a JSON body, those of each alternative once. A field that must be there is marked."""
    content = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    rows: dict[str, str] = {}
    whole = _resolved(document, content)
    for schema in (_resolved(document, each) for each in whole.get("anyOf", [whole])):
        for name, field in schema.get("properties", {}).items():
            needed = " Required." if name in schema.get("required", []) else ""
            rows.setdefault(name, f"| `{name}` | body | {_text_of(field)}{needed} |")
    return list(rows.values())


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or the one that it points at; of a list, that of its members."""
    if "items" in schema:
        return _resolved(document, schema["items"])
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def _text_of(described: dict[str, Any]) -> str:
    return _cell(described.get("description", ""))


def _declaration_lines(declaration: Declaration) -> list[str]:
    lines = [f"## Source `{declaration.name}`", "", "| label | what it is | sensitive |", "|---|---|---|"]
    lines += [f"| `{t.label}` | {t.description} | {_yes(t.sensitive)} |" for t in declaration.entity_types]
    lines += ["", "| relation | what it says | sensitive |", "|---|---|---|"]
    lines += [
        f"| `(:{t.head})-[:{t.type}]->(:{t.tail})` | {t.description} | {_yes(t.sensitive)} |"
        for t in declaration.relation_types
    ]
    lines += ["", "| event kind | weight | what it is |", "|---|---|---|"]
    lines += [f"| `{k.name}` | {k.weight:g} | {k.description} |" for k in declaration.event_kinds]
    return [*lines, ""]


def _tree(kind: type[errors.ClewError]) -> Iterator[type[errors.ClewError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


if __name__ == "__main__":
    sys.exit(main())
