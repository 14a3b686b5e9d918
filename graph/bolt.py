"""Where the embedded server listens, and whether it answers there."""

import errno
import socket

from neo4j import GraphDatabase
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from domain.errors import PortTaken
from graph import home
from graph.home import Connection, ServerConfig
from graph.process import Running

HOST = "127.0.0.1"
CONNECT_TIMEOUT_S = 5


def connection_to(config: ServerConfig, running: Running) -> Connection:
    return Connection(
        uri=uri(running.bolt_port),
        username=home.USERNAME,
        password=home.read_password(config),
        browser=browser(running.http_port),
        password_file=config.password_file,
    )


def uri(bolt_port: int) -> str:
    return f"bolt://{HOST}:{bolt_port}"


def browser(http_port: int) -> str:
    return f"http://{HOST}:{http_port}/browser/"


def version(connection: Connection) -> str | None:
    """The version of the server that answers, or None when none does.

    Raises: the driver's AuthError, when it answers and refuses the password.
    """
    auth = (connection.username, connection.password)
    try:
        with GraphDatabase.driver(connection.uri, auth=auth, connection_timeout=CONNECT_TIMEOUT_S) as driver:
            return driver.get_server_info().agent.rpartition("/")[2]
    except AuthError:
        raise
    except (DriverError, Neo4jError):
        return None


def listens(port: int) -> bool:
    """Whether anybody accepts connections there; much cheaper than a driver."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def require_port(port: int, setting: str) -> None:
    """Raises: PortTaken, when nobody can listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = "is taken by another program" if error.errno == errno.EADDRINUSE else "may not be used"
            raise PortTaken(f"port {port} {why}; set {setting} to a free port, or stop that program") from error
