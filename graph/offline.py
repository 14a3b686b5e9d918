"""The offline import: a first load through Neo4j's own importer, many times faster than Bolt, with the server stopped.

    begin_import(config); import_csv(config, nodes, relationships); up(config); ...check...; finish_import(config)

The importer replaces the whole database and keeps its users. Between begin and finish a marker lies in the home:
whoever finds it (`import_incomplete`) wipes and loads again.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from graph import home, server
from graph.home import ServerConfig

DATABASE = "neo4j"


def begin_import(config: ServerConfig) -> None:
    """Note that from now on the database may be half made."""
    with server.stopped(config):
        home.replace_file(config.import_marker, "an import has begun and has not been confirmed\n")


def finish_import(config: ServerConfig) -> None:
    """Confirm an import, after its counts, constraints and language have been checked. Twice is as once."""
    config.import_marker.unlink(missing_ok=True)


def import_incomplete(config: ServerConfig) -> bool:
    """Whether an import began and was never confirmed."""
    return config.import_marker.exists()


def import_csv(
    config: ServerConfig, nodes: Sequence[tuple[str, Path]], relationships: Sequence[tuple[str, Path]]
) -> None:
    """Replace the database by what CSV files hold. Each file has its own header in Neo4j's form (`id:ID`, `:START_ID`).

    nodes: labels and file; several labels are joined by ":". relationships: type and file.
    Any bad row (a duplicate id, an end that is missing) fails the whole import; relationships are not deduplicated.
    Raises: ServerBusy while the server runs; StartFailed with the importer's last lines.
    """
    if not import_incomplete(config):
        begin_import(config)
    server.admin(config, *_arguments(config, nodes, relationships))


def wipe(config: ServerConfig) -> None:
    """Delete the database, and keep the server's users and settings. Raises: ServerBusy while the server runs."""
    with server.stopped(config):
        for kind in ("databases", "transactions"):
            folder = config.folder / "data" / kind / DATABASE
            if folder.exists():
                shutil.rmtree(folder)


def _arguments(
    config: ServerConfig, nodes: Sequence[tuple[str, Path]], relationships: Sequence[tuple[str, Path]]
) -> list[str]:
    return [
        "database",
        "import",
        "full",
        DATABASE,  # here, for --nodes and --relationships take every word that follows for a file
        "--overwrite-destination=true",
        "--id-type=string",
        "--bad-tolerance=0",
        "--strict=true",  # without it a few relationships to nodes that are not there would pass
        "--multiline-fields=true",
        "--array-delimiter=U+001F",  # the unit separator, which no text of a data set holds
        "--high-parallel-io=on",
        "--path-pattern-style=none",  # a path is a path, whatever signs it holds
        "--max-off-heap-memory=50%",
        f"--report-file={config.folder / 'logs' / 'import.report'}",
        *(f"--nodes={labels}={file.resolve()}" for labels, file in nodes),
        *(f"--relationships={kind}={file.resolve()}" for kind, file in relationships),
    ]
