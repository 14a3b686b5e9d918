"""The graph of the settings for a notebook or a Python prompt: `with open_analyst() as analyst: ...`."""

from clew import show
from clew.pipeline import snapshot
from clew.settings import load_settings
from clew.wiring import connection_of
from domain.snapshot import Snapshot
from graph.analyst import Analyst


def open_analyst() -> Analyst:
    """The graph as an analyst's objects. Raises: MissingExtra, GraphUnavailable, InvalidSettings."""
    connection = connection_of(load_settings())
    return Analyst(connection.uri, connection.username, connection.password)


def read_snapshot() -> Snapshot:
    """The whole graph as columns; from the disk when nothing was written since the last time."""
    return snapshot(load_settings(), show.QuietProgress())
