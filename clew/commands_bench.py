"""clew bench: rank any data set, and score what any program ranked."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from clew import show
from clew.commands_graph import Json
from domain.errors import TrainingFailed

bench = typer.Typer(
    help="How well a scorer ranks, on any data set: files in, lists out, so that an outside scorer can check them.",
    no_args_is_help=True,
)

Train = Annotated[Path, typer.Option(help="Training file: TSV with a header, RecBole .inter, or `user item item ...`.")]
Valid = Annotated[Path | None, typer.Option(help="Validation file; without it a part of the training file is cut off.")]
Test = Annotated[Path | None, typer.Option(help="Whose users want lists. Only its user and item ids are used.")]
Kg = Annotated[Path | None, typer.Option(help="Graph: triples head, relation, tail (TSV), or RecBole .kg.")]
Link = Annotated[Path | None, typer.Option(help="Which entity of the graph an item is: RecBole .link.")]
K = Annotated[int, typer.Option("--k", help="The length of the lists.", min=1, max=10_000)]
Name = Annotated[str, typer.Option("--scorer", help="fused (the served model), or a peer; a wrong name lists them.")]
Seed = Annotated[int, typer.Option(help="Equal seeds and numbers of trials give equal lists.")]
Budget = Annotated[float, typer.Option("--budget-s", help="Seconds for choosing hyperparameters.", min=0)]
Trials = Annotated[int | None, typer.Option(help="Run exactly so many trials, whatever they take.", min=1)]


@bench.command()
def rank(
    train: Train,
    out: Annotated[Path, typer.Option(help="Where the lists go: user_id, rank, item_id, score.")],
    valid: Valid = None,
    test: Test = None,
    kg: Kg = None,
    link: Link = None,
    k: K = 20,
    scorer: Name = "fused",
    phase: Annotated[Literal["test", "valid"], typer.Option(help="Whom to rank for: see below.")] = "test",
    seed: Seed = 0,
    budget_s: Budget = 300.0,
    trials: Trials = None,
    json: Json = False,
) -> None:
    """Train on a data set, choose the hyperparameters on its validation part, and write the best k items of each user.

    Phase test: for the users of --test (all users without it), without the items of train and valid. Phase valid: for
    the users of --valid, without the items of train. In both, the model is trained on the training file only.
    """
    _need_packages()
    from clew.bench import Choice, Files
    from clew.bench import rank as run

    files = Files(train, valid, test, kg, link)
    choice = Choice(scorer, phase, k, seed, budget_s, trials)
    report = run(files, choice, out, show.TerminalProgress())
    if json:
        show.as_json(report)
        return
    rows = [(name, f"{value:.4f}") for name, value in report.validation.items()]
    rows += [(name, str(value)) for name, value in report.settings.items()]
    rows += [("ratings", report.ratings), ("trials", str(report.trials)), ("peak memory", f"{report.peak_mib:,} MiB")]
    show.table(f"{scorer}, chosen on the validation part ({report.validation_part})", ("what", "value"), rows)
    show.out.print(f"{report.lists:,} users' lists are in {out}")
    target = valid if phase == "valid" else test
    show.hint(f"next: `clew bench score {out} --test {target or 'FILE'}`, or any scorer of your own")


def _need_packages() -> None:
    """Raises: TrainingFailed where the extras that the scorers need are not installed."""
    from importlib.util import find_spec

    for package, extra in (("torch", "train"), ("torch_geometric", "train"), ("implicit", "bench")):
        if not find_spec(package):
            raise TrainingFailed(f"the bench needs {package}: pip install 'clew[{extra}]'")
