"""A small data set as files of the bench: users of even number take items of even number."""

from pathlib import Path

from clew.bench import Files


def write(path: Path, header: str, rows: list[tuple[object, ...]]) -> Path:
    path.write_text("\n".join([header, *("\t".join(map(str, row)) for row in rows)]) + "\n")
    return path


def parity_files(tmp_path: Path) -> Files:
    """Users of even number take items of even number; the last item of each is test, the one before it valid."""
    parts: dict[str, list[tuple[object, ...]]] = {"train": [], "valid": [], "test": []}
    for user in range(30):
        items = [item for item in range(24) if (item - user) % 2 == 0]
        items = items[user % 12 :] + items[: user % 12]
        for place, item in enumerate(items):
            name = "train" if place < 8 else "valid" if place == 8 else "test"
            if place < 10:
                parts[name].append((f"user {user}", f"{item:03}", place + 100 * user))
    parts["test"] += [("a stranger", "unheard of", 1)]
    named = {name: write(tmp_path / f"{name}.tsv", "user_id\titem_id\ttimestamp", rows) for name, rows in parts.items()}
    triples = [(f"{item:03}", "colour", item % 2) for item in range(24)] + [("unheard of", "colour", 1)]
    return Files(**named, kg=write(tmp_path / "kg.tsv", "head\trelation\ttail", triples))
