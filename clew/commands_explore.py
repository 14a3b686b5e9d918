"""clew graph: questions to the graph itself, for analysts."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from clew import pipeline, show
from clew.commands_graph import Json
from clew.settings import load_settings
from clew.wiring import open_store
from cypher.saved import saved_queries, saved_query
from domain.errors import InvalidRequest
from domain.graph_answers import GraphAnswer
from graph import health as graph_health

graph = typer.Typer(help="Questions to the graph, for analysts.", no_args_is_help=True)
Parameters = Annotated[list[str] | None, typer.Option("--param", help="name=value, once for each parameter.")]
Limit = Annotated[int, typer.Option(help="Rows at most.", min=1, max=10_000)]
Timeout = Annotated[float, typer.Option(help="Neo4j ends the query after so many seconds.", min=0.1, max=60)]


@graph.command()
def query(
    text: Annotated[str, typer.Argument(help="Cypher that only reads.")],
    param: Parameters = None,
    limit: Limit = 100,
    timeout_s: Timeout = 10,
    json: Json = False,
) -> None:
    """Ask the graph in Cypher. Values of parameters are JSON where they can be: id='"196"' is text, id=196 a number."""
    parameters = {name: _json_or_text(value) for name, value in _pairs(param).items()}
    _answer(text, parameters, limit, timeout_s, as_json=json)
    show.hint("next: `clew graph queries` lists what others ask")


@graph.command()
def queries(json: Json = False) -> None:
    """List the saved queries."""
    found = saved_queries()
    if json:
        show.as_json([{"name": each.name, "title": each.title, "parameters": each.parameters} for each in found])
        return
    rows = [(each.name, " ".join(each.parameters), each.title) for each in found]
    show.table("saved queries", ("name", "parameters", "what it shows"), rows)
    show.hint("next: `clew graph run NAME --param user_id=...`")


@graph.command()
def run(
    name: Annotated[str, typer.Argument(help="One of `clew graph queries`.")],
    param: Parameters = None,
    limit: Limit = 100,
    timeout_s: Timeout = 10,
    json: Json = False,
) -> None:
    """Run a saved query."""
    saved = saved_query(name)
    _answer(saved.text, saved.values(_pairs(param)), limit, timeout_s, as_json=json)
    show.hint("next: `clew graph queries` lists the others")


@graph.command()
def health(
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw how many neighbours nodes have: a .png, .svg or .pdf file.")
    ] = None,
    json: Json = False,
) -> None:
    """What of the catalogue hangs together, what joins everything, what stands alone."""
    found = graph_health.examine(pipeline.snapshot(load_settings(), show.QuietProgress()))
    if plot:
        graph_health.save_degrees(found, plot)
    parts = {"items": found.items, "entities": found.entities, "relations": found.relations}
    if json:
        hubs = [{"entity_id": hub, "name": name, "items": items} for hub, name, items in found.hubs]
        show.as_json({**parts, "components": found.components, "alone": found.alone, "hubs": hubs})
        return
    show.out.print(", ".join(f"{count:,} {name}" for name, count in parts.items()))
    sizes = ", ".join(f"{size:,}" for size in found.components[:5])
    show.out.print(f"{len(found.components):,} parts that hang together; the largest have {sizes or 'no'} nodes")
    show.out.print(f"{len(found.alone):,} items without any relation")
    rows = [(hub, name or "", f"{items:,}") for hub, name, items in found.hubs]
    show.table("entities that join the most items", ("entity", "name", "items"), rows)
    show.hint(f"the plot is in {plot}" if plot else "next: `clew graph run bare_items`")


@graph.command()
def export(
    rdf: Annotated[Path, typer.Option("--rdf", help="The file to write; its mapping is written beside it.")],
    form: Annotated[
        str | None, typer.Option("--format", help="nt, turtle, json-ld or xml [by the file's ending].")
    ] = None,
    people: Annotated[bool, typer.Option("--people", help="Also users, and what they did: personal data.")] = False,
    json: Json = False,
) -> None:
    """Write the graph as RDF with schema.org's terms. `clew ingest rdf` reads it again."""
    count, mapping = pipeline.export_rdf(load_settings(), rdf, show.TerminalProgress(), form=form, people=people)
    if json:
        show.as_json({"triples": count, "file": str(rdf), "mapping": str(mapping)})
        return
    show.out.print(show.plain(f"{count:,} triples in {rdf}, and its mapping in {mapping}"))
    show.hint(f"next: `clew ingest rdf {rdf}`, with another CLEW_HOME")


def _answer(text: str, parameters: dict[str, object], limit: int, timeout_s: float, *, as_json: bool) -> None:
    with open_store(load_settings()) as store:
        answer = store.query(text, parameters, limit=limit, timeout_s=timeout_s)
    if as_json:
        show.as_json(answer)
        return
    show.table("", answer.columns, [tuple(_cell(value) for value in row) for row in answer.rows])
    show.hint(_told(answer))


def _told(answer: GraphAnswer) -> str:
    more = "; there are more: --limit" if answer.truncated else ""
    return f"{len(answer.rows):,} rows in {answer.took_ms:.0f} ms{more}"


def _cell(value: object) -> str:
    """A value as a terminal shows it: (:Item heat Heat)-[:DIRECTED_BY]->(:Director Director:mann)."""
    match value:
        case None:
            return ""
        case str():
            return value
        case {"$type": "node", "labels": [*labels], "properties": {**properties}}:
            shown = [f":{label}" for label in labels if label != "Entity" or len(labels) == 1]
            told = [str(properties[name]) for name in ("id", "name") if properties.get(name) is not None]
            return "(" + " ".join([*shown, *told]) + ")"
        case {"$type": "relationship", "type": type_name}:
            return f"[:{type_name}]"
        case {"$type": "path", "nodes": [first, *nodes], "relationships": [*relationships]}:
            return _cell(first) + "".join(map(_step, relationships, [first, *nodes], nodes))
        case _:
            return msgspec.json.encode(value).decode()


def _step(relationship: dict[str, object], before: dict[str, object], after: object) -> str:
    forward = relationship["start"] == before["element_id"]
    return f"-{_cell(relationship)}->{_cell(after)}" if forward else f"<-{_cell(relationship)}-{_cell(after)}"


def _pairs(given: list[str] | None) -> dict[str, str]:
    """Raises: InvalidRequest for one without "="."""
    pairs = [entry.partition("=") for entry in given or []]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise InvalidRequest(f"--param takes name=value, not {name!r}", field="param")
    return {name: value for name, _, value in pairs}


def _json_or_text(value: str) -> object:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value
