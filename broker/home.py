"""The folder of the embedded Kafka: its settings, what lies where, and its configuration file."""

import base64
import uuid
from dataclasses import dataclass
from pathlib import Path

from graph.home import replace_file

FOLDERS = ("conf", "run", "logs")


@dataclass(frozen=True)
class BrokerConfig:
    """Settings of the embedded broker. home: CLEW_HOME; the broker lives in its folder `kafka`.

    It listens on this machine only. port + 1 is the controller's.
    """

    home: Path
    port: int = 19092
    heap: str = "384m"
    start_timeout_s: float = 60.0
    lock_timeout_s: float = 120.0
    java_home: Path | None = None

    @property
    def folder(self) -> Path:
        return self.home.resolve() / "kafka"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def properties_file(self) -> Path:
        return self.folder / "conf" / "server.properties"

    @property
    def pid_file(self) -> Path:
        return self.folder / "run" / "server.json"

    @property
    def jar_stamp(self) -> Path:
        return self.folder / "run" / "jars.json"

    @property
    def console_log(self) -> Path:
        return self.folder / "logs" / "console.log"


def lay_out(config: BrokerConfig) -> None:
    """Make the folders and write the configuration file."""
    for name in FOLDERS:
        (config.folder / name).mkdir(mode=0o700, exist_ok=True)
    replace_file(config.properties_file, properties(config))


def properties(config: BrokerConfig) -> str:
    """The text of server.properties: one broker that is its own controller, and keeps records for ever."""
    controller = f"127.0.0.1:{config.port + 1}"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{config.port},CONTROLLER://{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": _escaped(str(config.data)),
        "log.retention.hours": "-1",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def new_cluster_id() -> str:
    """Sixteen random bytes as Kafka writes them; never with a dash in front, which its tools take for an option."""
    made = "-"
    while made.startswith("-"):
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return made


def _escaped(text: str) -> str:
    """The text as a properties file has it: ASCII, and no backslash by itself."""
    return "".join(
        character if " " <= character < "\x7f" and character != "\\" else f"\\u{ord(character):04x}"
        for character in text
    )
