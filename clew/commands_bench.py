"""clew bench: rank any data set, and score what any program ranked."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from clew import show
from clew.commands_graph import Json
from clew.settings import load_settings
from domain.errors import TrainingFailed

if TYPE_CHECKING:
    from clew.bench_score import Difference, Figure

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


Needed = Annotated[Path, typer.Option(help="What is to be found; the test part.")]
Graph = Annotated[Path, typer.Option(help="Graph: triples head, relation, tail (TSV), or RecBole .kg.")]
Share = Annotated[float, typer.Option(help="How much is held out.", min=0.01, max=0.9)]


@bench.command()
def explain(
    data: Annotated[str, typer.Argument(help="A demo (movies, retail), a source of `clew ingest`, or files.")],
    path: Annotated[Path | None, typer.Argument(help="The source's path; for files the training file.")] = None,
    kg: Kg = None,
    link: Link = None,
    name: Annotated[str | None, typer.Option(help="What the result is called [the data's name].")] = None,
    users: Annotated[int, typer.Option(help="How many, drawn by seed.", min=1)] = 200,
    seed: Seed = 0,
    seeds: Annotated[int, typer.Option(help="So many more models, to see whether reasons stay.", min=0)] = 1,
    retrain: Annotated[bool, typer.Option(help="Train once more without the edges of some reasons.")] = True,
    out: Annotated[Path | None, typer.Option(help="Folder for NAME.json.")] = None,
    json: Json = False,
) -> None:
    """Are the reasons true? Takes each away, and compares what the score does with what was stated."""
    _need_packages()
    from clew.bench_explain import Wanted, bench_explain, read_bench_files, read_data, write_report

    progress = show.TerminalProgress()
    if data == "files":
        if path is None or kg is None:
            raise typer.BadParameter("files need a training file and --kg")
        snapshot = read_bench_files(path, kg, link)
    else:
        snapshot = read_data(data, path, load_settings().cache_dir, progress)
    wanted = Wanted(users, seed, seeds, retrain)
    report = bench_explain(name or data, snapshot, wanted, progress, command=shlex.join(["clew", *sys.argv[1:]]))
    if out is not None:
        write_report(report, out)
    if json:
        show.as_json(report)
        return
    show.table(f"reasons on {report.data}", ("figure", "value"), [(k, f"{v:.4f}") for k, v in report.figures.items()])
    show.hint("next: docs/faithfulness.md says what each figure means")


@bench.command("cold-items")
def cold_items(
    train: Train,
    test: Needed,
    kg: Graph,
    valid: Valid = None,
    link: Link = None,
    k: K = 20,
    scorer: Name = "fused",
    share: Share = 0.2,
    seed: Seed = 0,
    budget_s: Budget = 300.0,
    trials: Trials = None,
    json: Json = False,
) -> None:
    """Hide all events of some items and rank them by their attributes: cold, warm and overall figures.

    cold: the hidden items among each other; warm: the others. Their ndcg is compared with a model that saw all events
    (what the hidden events were worth) and with one of the same events that knows no attributes (what it costs to be
    able to rank the hidden items).
    """
    _need_packages()
    from clew import bench_cold
    from clew.bench import Choice, Files

    choice = Choice(scorer, "test", k, seed, budget_s, trials)
    told = bench_cold.cold_items(Files(train, valid, test, kg, link), choice, show.TerminalProgress(), share=share)
    if json:
        show.as_json(told)
        return
    parts = {"cold": told.cold, "warm": told.warm, "warm, all seen": told.warm_of_full, "overall": told.overall}
    if told.warm_without_graph is not None:
        parts["warm, no attributes"] = told.warm_without_graph
    _show_figures(f"{scorer}: {told.held_items:,} items hidden", parts)
    show.out.print(f"warm ndcg against a model that saw all events: {_change(told.warm_difference)}")
    if told.graph_difference is not None:
        show.out.print(f"warm ndcg against the same events without attributes: {_change(told.graph_difference)}")
    show.hint("next: `clew bench kg-control`, to see what of this the graph's facts give")


@bench.command("cold-users")
def cold_users(
    train: Train,
    test: Needed,
    valid: Valid = None,
    kg: Kg = None,
    link: Link = None,
    k: K = 10,
    scorer: Name = "fused",
    share: Share = 0.2,
    seed: Seed = 0,
    budget_s: Budget = 300.0,
    trials: Trials = None,
    json: Json = False,
) -> None:
    """Hide some users from training and bring them back with their first 0, 1, 2, 3, 5, 10 or all events, or tastes."""
    _need_packages()
    from clew import bench_cold
    from clew.bench import Choice, Files

    choice = Choice(scorer, "test", k, seed, budget_s, trials)
    told = bench_cold.cold_users(Files(train, valid, test, kg, link), choice, show.TerminalProgress(), share=share)
    if json:
        show.as_json(told)
        return
    _show_figures(f"{scorer}: {told.users:,} hidden users, by the events they are known by", told.by_events)
    kept = "  ".join(f"{name}: {value:.0%}" for name, value in told.kept.items())
    show.out.print(f"share of the ndcg with all events: {kept}")


@bench.command("kg-control")
def kg_control(
    train: Train,
    test: Needed,
    kg: Graph,
    valid: Valid = None,
    link: Link = None,
    k: K = 20,
    scorer: Name = "fused",
    share: Share = 0.2,
    seed: Seed = 0,
    budget_s: Budget = 300.0,
    trials: Trials = None,
    json: Json = False,
) -> None:
    """What the graph's facts are worth: the same scorer with the graph, with it shuffled between items, and without.

    Six models are trained, each with the whole budget.
    """
    _need_packages()
    from clew import bench_cold
    from clew.bench import Choice, Files

    choice = Choice(scorer, "test", k, seed, budget_s, trials)
    told = bench_cold.kg_control(Files(train, valid, test, kg, link), choice, show.TerminalProgress(), share=share)
    if json:
        show.as_json(told)
        return
    _show_figures(f"{scorer}, all items, by graph", told.warm)
    _show_figures(f"{scorer}, hidden items among each other, by graph", told.cold)
    show.out.print(f"of the hidden items' recall the shuffled graph loses {told.cold_recall_lost:.0%}")


def _change(compared: "Difference") -> str:
    share = compared.difference / compared.second if compared.second else 0.0
    return f"{share:+.2%} ({compared.difference:+.4f}, 95 % interval {compared.low:+.4f} to {compared.high:+.4f})"


def _show_figures(title: str, parts: "dict[str, dict[str, Figure]]") -> None:
    names = tuple(next(iter(parts.values())))
    rows = [
        (part, *(f"{figures[name].mean:.4f} ± {figures[name].standard_error:.4f}" for name in names))
        for part, figures in parts.items()
    ]
    show.table(title, ("", *names), rows)


Recs = Annotated[Path, typer.Argument(help="Lists: TSV with user_id, rank, item_id.")]
Truth = Annotated[Path, typer.Option(help="What was to be found: any of the three forms of interactions.")]
Known = Annotated[Path | None, typer.Option(help="The training file: its pairs are struck from the lists first.")]
Cuts = Annotated[list[int] | None, typer.Option("--k", help="Cut-offs; may be given several times.", min=1)]


@bench.command()
def score(
    recs: Recs,
    test: Truth,
    train: Known = None,
    valid: Annotated[Path | None, typer.Option(help="The validation file, struck from the lists likewise.")] = None,
    kg: Kg = None,
    link: Link = None,
    k: Cuts = None,
    json: Json = False,
) -> None:
    """Measure lists that any program wrote: what they find, how even, novel and diverse they are, and for whom."""
    from clew.bench_score import Against
    from clew.bench_score import score as run

    told = run(recs, Against(test, train, valid, kg, link), k or [10, 20])
    if json:
        show.as_json(told)
        return
    rows = [(name, f"{each.mean:.4f}", f"± {each.standard_error:.4f}") for name, each in told.metrics.items()]
    rows += [(name, f"{value:.4f}", "") for name, value in told.lists.items()]
    show.table(f"{told.users:,} users", ("metric", "mean", "standard error"), rows)
    slices = [(name, each) for kind in told.slices.values() for name, each in kind.items()]
    rows = [
        (name, f"{part.users:,}", metric, f"{each.mean:.4f}", f"± {each.standard_error:.4f}")
        for name, part in slices
        for metric, each in part.metrics.items()
    ]
    if rows:
        show.table("by slice", ("slice", "users", "metric", "mean", "standard error"), rows)
    if told.rows_had_before:
        show.hint(f"{told.rows_had_before:,} rows were left out: the user had the item before")
    show.hint("next: `clew bench compare A.tsv B.tsv --test FILE` says whether another run is better")


@bench.command()
def compare(
    first: Recs,
    second: Recs,
    test: Truth,
    train: Known = None,
    valid: Annotated[Path | None, typer.Option(help="The validation file, struck from the lists likewise.")] = None,
    k: Cuts = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    json: Json = False,
) -> None:
    """Whether the first run is better than the second on the same users: paired bootstrap, 95 % intervals."""
    from clew.bench_score import Against
    from clew.bench_score import compare as run

    told = run(first, second, Against(test, train, valid), k or [10, 20], seed=seed)
    if json:
        show.as_json(told)
        return
    rows = [
        (
            name,
            *(f"{value:.4f}" for value in (each.first, each.second, each.difference)),
            _interval(each.low, each.high),
        )
        for name, each in told.metrics.items()
    ]
    show.table(f"{told.users:,} users", ("metric", "first", "second", "difference", "95 % interval"), rows)
    show.hint("an interval that holds 0 says that the two cannot be told apart on this data")


def _interval(low: float, high: float) -> str:
    return f"{low:+.4f} to {high:+.4f}"


def _need_packages() -> None:
    """Raises: TrainingFailed where the extras that the scorers need are not installed."""
    from importlib.util import find_spec

    for package, extra in (("torch", "train"), ("torch_geometric", "train"), ("implicit", "bench")):
        if not find_spec(package):
            raise TrainingFailed(f"the bench needs {package}: pip install 'clew[{extra}]'")
