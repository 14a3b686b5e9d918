"""Every setting, in one place: the only reader of the environment and of `.env`.

`.env.example` and the settings page are made from the descriptions below (clew/reference.py).
"""

import difflib
import ipaddress
import os
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.keys import ApiKey, parse_keys
from broker.home import BrokerConfig
from domain.errors import InvalidSettings
from graph.home import ServerConfig
from ingest.kafka_address import KafkaAddress, kafka_address
from recommend.redis_address import redis_address

PREFIX = "CLEW_"
FOR_TESTS = "CLEW_TEST_"  # read by the test suite only
ENV_FILE = ".env"
MEMORY = r"\d+[kmgKMG]"


class Settings(BaseSettings):
    """What the environment says, checked. Make it with `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    home: Path = Field(
        default=Path(".clew"),
        description="Folder of all state: the embedded Neo4j, the log, the models, downloads.",
    )
    host: str = Field(
        default="127.0.0.1",
        description="Address the API listens on. One that other machines can reach needs CLEW_API_KEYS.",
    )
    port: int = Field(default=8080, ge=1, le=65535, description="Port of the API.")
    api_keys: str = Field(
        default="",
        description="Keys as name:scope:sha256 with commas between them; scope is read, write, analyst or admin. "
        "`clew keys new NAME` makes one.",
    )
    console_port: int = Field(
        default=8081, ge=1, le=65535, description="Port of the console, on this machine's own address."
    )
    console_api: str = Field(
        default="", description="The API that the console asks, such as https://api.shop.example. Empty: the one here."
    )
    console_key: SecretStr = Field(
        default=SecretStr(""), description="The key that the console sends, where the API asks for one."
    )
    allowed_hosts: str = Field(
        default="",
        description="Further host names under which a browser may call an API without keys, commas between them.",
    )
    events: str = Field(
        default="sqlite",
        description="Where the durable log is: sqlite (a file in CLEW_HOME), or kafka://host:port[,host:port]/topic.",
    )
    events_unknown_items: Literal["create", "hold", "reject"] = Field(
        default="create",
        description="An event with an item that is not there: create the bare item, hold the event until the item is "
        "PUT, or reject it.",
    )
    events_unknown_users: Literal["create", "hold", "reject"] = Field(
        default="create", description="The same for an event of a user who is not there."
    )
    events_burst_per_minute: int = Field(
        default=0,
        ge=0,
        description="Events of one user beyond so many a minute, in one server process, are rejected as a burst. 0: no "
        "limit.",
    )
    profiles: str = Field(
        default="",
        description="Share the events of users between machines: redis://[:password@]host[:port][/db][?name=NAME]. "
        "Empty: each process keeps its own.",
    )
    profiles_memory_mb: int = Field(
        default=256,
        ge=1,
        description="Memory for what users did since the last training, per server process; the rest goes to Redis, or "
        "to a temporary file.",
    )
    session_share: float = Field(
        default=0.3,
        ge=0,
        le=0.95,
        description="How much of a user's taste is what they did last, 0 to 0.95. 0: the newest events weigh no more "
        "than old ones.",
    )
    dead_letters_max: int = Field(
        default=100_000,
        ge=0,
        description="So many rejected events are kept; the oldest go first. So many may be held, too.",
    )
    kafka_port: int = Field(
        default=19092, ge=1, le=65534, description="Port of the broker of `clew kafka up`; the next one is used too."
    )
    events_max_ahead_s: int = Field(
        default=300,
        ge=0,
        description="An event posted with a time further than this in the future is rejected (seconds).",
    )
    events_max_age_days: int = Field(
        default=36_500, ge=1, description="An event posted with a time further back than this is rejected (days)."
    )
    backlog_limit: int = Field(
        default=1_000_000,
        ge=1,
        description="Writes are refused with 503 while the writer to Neo4j is more than this many records behind.",
    )
    ledger_days: float = Field(
        default=30,
        ge=0,
        description="Every answer of the API can be fetched again for so many days. 0: none is kept.",
    )
    ledger_mib: int = Field(
        default=512,
        ge=1,
        description="So much of CLEW_HOME the kept answers may take (MiB); beyond that the oldest go.",
    )
    texts: Path | None = Field(
        default=None,
        description="A TOML file with a shop's own words for reasons, or a further language: see docs/reasons.md.",
    )
    verify_ms: int = Field(
        default=25,
        ge=1,
        le=60_000,
        description="How long a list may wait for Neo4j to confirm its paths (milliseconds).",
    )
    neo4j_bolt_port: int = Field(default=17687, ge=1, le=65535, description="Bolt port of the embedded Neo4j.")
    neo4j_http_port: int = Field(
        default=17474, ge=1, le=65535, description="HTTP port of the embedded Neo4j: the Neo4j Browser page."
    )
    neo4j_heap: str = Field(default="1g", pattern=MEMORY, description="Java heap of the embedded Neo4j.")
    neo4j_page_cache: str = Field(default="256m", pattern=MEMORY, description="Page cache of the embedded Neo4j.")
    java_home: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("JAVA_HOME"),
        description="A Java 21 or 25 for the embedded Neo4j; without it the packaged one is used.",
    )
    neo4j_uri: str | None = Field(
        default=None,
        validation_alias=AliasChoices("NEO4J_URI"),
        description="Use this Neo4j (bolt:// or neo4j://) instead of the embedded one.",
    )
    neo4j_username: str = Field(
        default="neo4j", validation_alias=AliasChoices("NEO4J_USERNAME"), description="User name at NEO4J_URI."
    )
    neo4j_password: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("NEO4J_PASSWORD"), description="Password at NEO4J_URI."
    )

    @property
    def log_file(self) -> Path:
        return self.home / "log" / "clew.db"

    @property
    def redis(self) -> tuple[str, str] | None:
        """The Redis for profiles, and the name of this Clew in it."""
        return redis_address(self.profiles) if self.profiles else None

    @property
    def kafka(self) -> KafkaAddress | None:
        """The topic that CLEW_EVENTS names; None: the log is the file. Raises: InvalidSettings."""
        return None if self.events == "sqlite" else kafka_address(self.events)

    @property
    def kafka_index(self) -> Path:
        """The folder of what this machine keeps of a topic; all of it can be made again."""
        return self.home / "log" / "kafka"

    @property
    def broker_config(self) -> BrokerConfig:
        return BrokerConfig(home=self.home, port=self.kafka_port, java_home=self.java_home)

    @property
    def models_dir(self) -> Path:
        return self.home / "models"

    @property
    def cache_dir(self) -> Path:
        return self.home / "cache"

    @property
    def ledger_file(self) -> Path:
        return self.home / "ledger.db"

    @property
    def rejected_file(self) -> Path:
        return self.home / "rejected.jsonl"

    @property
    def writer_lock(self) -> Path:
        return self.home / "writer.lock"

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        return parse_keys(self.api_keys)

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(host.strip().lower() for host in self.allowed_hosts.split(",") if host.strip())

    @property
    def api_url(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 it is compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def neo4j_browser(self) -> str | None:
        """Where Neo4j Browser is served; None for a Neo4j that is not ours."""
        return None if self.neo4j_uri else f"http://127.0.0.1:{self.neo4j_http_port}/browser/"

    @property
    def console_url(self) -> str:
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def server_config(self) -> ServerConfig:
        return ServerConfig(
            home=self.home,
            bolt_port=self.neo4j_bolt_port,
            http_port=self.neo4j_http_port,
            heap=self.neo4j_heap,
            page_cache=self.neo4j_page_cache,
            java_home=self.java_home,
            guide_url=f"{self.api_url}/guides/start.html",
        )


def load_settings() -> Settings:
    """The settings of the environment, over those of `.env`, over the defaults.

    Raises: InvalidSettings naming the key, for an unknown CLEW_* key (with the nearest known one) and for a bad value.
    """
    _refuse_unknown(list(os.environ), "the environment")
    if Path(ENV_FILE).exists():
        _refuse_unknown(list(dotenv_values(ENV_FILE)), ENV_FILE)
    try:
        settings = Settings(_env_file=ENV_FILE)  # pyright: ignore[reportCallIssue] a keyword of BaseSettings
    except ValidationError as error:
        first = error.errors()[0]
        key = environment_name(str(first["loc"][0]))
        raise InvalidSettings(f"{key}: {first['msg']}", field=key) from error
    _ = settings.keys, settings.kafka, settings.redis  # a bad value is found now
    return settings


def require_safe_bind(settings: Settings) -> None:
    """Raises: InvalidSettings when other machines could reach an API that asks for no key."""
    if settings.keys or is_loopback(settings.host):
        return
    raise InvalidSettings(
        f"CLEW_HOST={settings.host} lets other machines in, and CLEW_API_KEYS is empty; make a key with "
        "`clew keys new NAME`, or leave CLEW_HOST at 127.0.0.1",
        field="CLEW_HOST",
    )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def environment_name(name: str) -> str:
    """The environment variable of a field: home -> CLEW_HOME, neo4j_uri -> NEO4J_URI."""
    field = Settings.model_fields.get(name)
    alias = field.validation_alias if field else None
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return name if field is None else PREFIX + name.upper()


def environment_names() -> set[str]:
    """The environment variables of all fields."""
    return {environment_name(name) for name in Settings.model_fields}


def _refuse_unknown(keys: list[str], place: str) -> None:
    known = [key for key in sorted(environment_names()) if key.startswith(PREFIX)]
    for key in keys:
        name = key.upper()
        if name.startswith(PREFIX) and not name.startswith(FOR_TESTS) and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise InvalidSettings(f"unknown setting {key} in {place}; did you mean {nearest[0]}?", field=key)
