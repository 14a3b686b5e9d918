"""clew models, rollback: which model serves, which others there are, and going back to one."""

from typing import Annotated

import typer

from clew import models, pipeline, show
from clew.commands_graph import Json
from clew.settings import load_settings

app = typer.Typer(help="The models on disk, and which of them serves.", no_args_is_help=True)
Version = Annotated[str, typer.Argument(help="A version, as `clew models list` names it.")]


@app.command("list")
def list_models(json: Json = False) -> None:
    """The models on disk, newest first: which one serves, which are held back and why."""
    found = models.on_disk(load_settings().models_dir)
    if json:
        show.as_json(found)
        return
    if not found:
        show.out.print("no model was trained yet")
        show.hint("next: `clew train`")
        return
    rows = [
        (one.state, one.version, one.created_at or "", "" if one.ndcg is None else f"{one.ndcg:.4f}", one.note or "")
        for one in found
    ]
    show.table("models, newest first", ("", "version", "trained", "validation NDCG@10", "note"), rows)
    show.hint("next: `clew rollback` goes back to the one before; `clew models publish VERSION` takes any")


@app.command()
def publish(version: Version, json: Json = False) -> None:
    """Have a model serve that is on disk, also one that is held back."""
    _serve_from_now_on(version, json=json)


def rollback(
    version: Annotated[str | None, typer.Argument(help="An earlier version; without, the one before.")] = None,
    json: Json = False,
) -> None:
    """Go back to an earlier model: in Neo4j and in every running server. What came after it is held back."""
    settings = load_settings()
    earlier = models.earlier(settings.models_dir, version)
    replaced = pipeline.roll_back(settings, earlier, show.TerminalProgress())
    if json:
        show.as_json({"version": earlier, "held_back": replaced})
        return
    show.out.print(f"the model {earlier} serves again; held back: {', '.join(replaced)}")
    show.hint("next: stop `clew train --watch` until the cause is found; `clew models list` shows all of them")


def _serve_from_now_on(version: str, *, json: bool) -> None:
    settings = load_settings()
    models.require(settings.models_dir, version)
    pipeline.publish(settings, version, show.TerminalProgress())
    if json:
        show.as_json({"version": version})
        return
    show.out.print(f"the model {version} serves")
    show.hint("next: `clew recommend USER`; running servers take it up within seconds")
