"""The folder of the embedded Neo4j: its settings, what lies where, its configuration file and its password."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from domain.errors import ServerBusy, StartFailed

USERNAME = "neo4j"
FOLDERS = ("conf", "data", "logs", "run", "plugins", "import")


@dataclass(frozen=True)
class ServerConfig:
    """Settings of the embedded server. home: CLEW_HOME; the server lives in its folder `neo4j`.

    guide_url: what Neo4j Browser opens when it has connected; "": its own welcome.
    """

    home: Path
    bolt_port: int = 17687
    http_port: int = 17474
    heap: str = "1g"
    page_cache: str = "256m"
    transaction_memory: str = "512m"
    start_timeout_s: float = 90.0
    lock_timeout_s: float = 300.0
    java_home: Path | None = None
    guide_url: str = ""

    @property
    def folder(self) -> Path:
        return self.home.resolve() / "neo4j"

    @property
    def password_file(self) -> Path:
        return self.folder / "password"

    @property
    def pid_file(self) -> Path:
        return self.folder / "run" / "server.json"

    @property
    def jar_stamp(self) -> Path:
        return self.folder / "run" / "jars.json"

    @property
    def import_marker(self) -> Path:
        return self.folder / "import.incomplete"

    @property
    def console_log(self) -> Path:
        return self.folder / "logs" / "console.log"


@dataclass(frozen=True)
class Connection:
    """What a client needs to talk to a Neo4j. browser and password_file are None for a server that is not ours."""

    uri: str
    username: str
    password: str = field(repr=False)
    browser: str | None = None
    password_file: Path | None = None


@contextmanager
def locked(config: ServerConfig) -> Generator[None, None, None]:
    """Hold the folder, so that two commands at once do not disturb each other. Raises: ServerBusy."""
    with locked_folder(config.folder, config.lock_timeout_s):
        yield


@contextmanager
def locked_folder(folder: Path, timeout_s: float) -> Generator[None, None, None]:
    """Hold a server's folder, which is made. Raises: ServerBusy."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(folder / "lock", timeout=timeout_s)
    try:
        lock.acquire()
    except Timeout as error:
        raise ServerBusy(
            f"another clew command has held {folder} for {timeout_s:g} s; wait for it and try again"
        ) from error
    try:
        yield
    finally:
        lock.release()


def lay_out(config: ServerConfig) -> None:
    """Make the folders, and write the configuration file when it is not as the settings say."""
    for name in FOLDERS:
        (config.folder / name).mkdir(mode=0o700, exist_ok=True)
    path = config.folder / "conf" / "neo4j.conf"
    wanted = configuration(config)
    if not path.exists() or path.read_text() != wanted:
        replace_file(path, wanted)


def configuration(config: ServerConfig) -> str:
    """The text of neo4j.conf. An unknown key stops the start, which is wanted."""
    settings = {
        "server.config.strict_validation.enabled": "true",
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{config.bolt_port}",
        "server.bolt.advertised_address": f"127.0.0.1:{config.bolt_port}",
        "server.http.listen_address": f"127.0.0.1:{config.http_port}",
        "server.http.advertised_address": f"127.0.0.1:{config.http_port}",
        "server.https.enabled": "false",
        "server.directories.import": "import",
        "server.memory.pagecache.size": config.page_cache,
        "dbms.memory.transaction.total.max": config.transaction_memory,
        "db.tx_log.preallocate": "false",  # 256 MB of zeros for each of two databases
        "dbms.security.auth_enabled": "true",
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        "dbms.fleet_manager.enabled": "false",
        "server.fleet_discovery.enabled": "false",
        "db.query.default_language": "CYPHER_25",  # counts only for a database that is made after it is set
        # Without it every stop idles for ten seconds after the databases are closed.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration": "0s",
        "browser.remote_content_hostname_whitelist": "localhost,127.0.0.1",
        **({"browser.post_connect_cmd": f"play {config.guide_url}"} if config.guide_url else {}),
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def started_before(config: ServerConfig) -> bool:
    """Whether the server has run here: then its users exist, and the initial password no longer counts."""
    return (config.folder / "data" / "databases" / "system").exists()


def make_password(config: ServerConfig) -> None:
    """Write a random password, readable by the owner only, unless there is one.

    Raises: StartFailed when the server has users already and their password file is gone.
    """
    if config.password_file.exists():
        return
    if started_before(config):
        raise StartFailed(
            f"the password file {config.password_file} is gone, and the server's users exist; put it back, "
            f"or delete {config.folder} and load everything again"
        )
    # A letter first: the administration tool takes a leading "-" for an option.
    replace_file(config.password_file, "clew-" + secrets.token_urlsafe(32), mode=0o600)


def read_password(config: ServerConfig) -> str:
    return config.password_file.read_text().strip()


def replace_file(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a whole file or leave the old one; nobody ever reads half of it."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
