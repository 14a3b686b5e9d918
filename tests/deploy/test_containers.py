"""The container files agree with the project. There is no engine here to run them: what can be checked is."""

import os
import re
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
import yaml

from clew.settings import Settings, environment_names
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_every_variable_the_api_service_sets_is_a_setting() -> None:
    assert set(COMPOSE["services"]["api"]["environment"]) <= environment_names()


def test_every_variable_the_image_sets_is_a_setting() -> None:
    names = set(re.findall(r"\b(CLEW_[A-Z0-9_]+)=", DOCKERFILE))
    assert names == {"CLEW_HOME", "CLEW_HOST", "CLEW_PORT"}
    assert names <= environment_names()


def test_the_api_port_is_the_default_of_the_settings() -> None:
    port = Settings.model_fields["port"].default
    assert COMPOSE["services"]["api"]["ports"] == [f"{port}:{port}"]
    assert f"EXPOSE {port}" in DOCKERFILE
    assert f"CLEW_PORT={port}" in DOCKERFILE


def test_the_api_reaches_neo4j_by_the_name_of_its_service() -> None:
    host = COMPOSE["services"]["api"]["environment"]["NEO4J_URI"].removeprefix("bolt://").split(":")[0]
    assert host in COMPOSE["services"]
    assert COMPOSE["services"]["api"]["depends_on"][host] == {"condition": "service_healthy"}
    assert "healthcheck" in COMPOSE["services"][host]


def test_the_image_and_the_embedded_server_are_the_same_neo4j() -> None:
    lock = tomllib.loads((ROOT / "graph/neo4j.lock.toml").read_text())
    version = COMPOSE["services"]["neo4j"]["image"].removeprefix("neo4j:").removesuffix("-community")
    assert f'"{version}"' in (ROOT / "graph/neo4j.lock.toml").read_text(), lock.keys()


def test_every_named_volume_is_declared_and_used() -> None:
    used = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_kafka_and_redis_start_only_when_their_profile_is_asked_for() -> None:
    profiles = {name: service.get("profiles") for name, service in COMPOSE["services"].items()}
    assert profiles == {"neo4j": None, "api": None, "kafka": ["kafka"], "redis": ["redis"]}


def test_only_the_api_listens_beyond_this_machine() -> None:
    for name, service in COMPOSE["services"].items():
        if name != "api":
            assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name


def test_every_file_the_image_copies_exists() -> None:
    for source in re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, flags=re.MULTILINE):
        assert (ROOT / source).exists(), source


def test_the_serving_lock_has_no_torch_and_agrees_with_the_full_lock() -> None:
    full = _pins(ROOT / "requirements.lock")
    serving = _pins(ROOT / "requirements-serve.lock")
    assert not {name for name in serving if name.startswith(("torch", "nvidia", "triton"))}
    assert serving.items() <= full.items() | {("numpy", serving["numpy"]), ("scipy", serving["scipy"])}


@pytest.mark.timeout(240)
def test_the_image_command_serves_in_a_plain_environment(tmp_path: Path) -> None:
    """The steps of the Dockerfile, in a virtual environment: serving lock, this project, `clew serve`."""
    environment = tmp_path / "clew"
    variables = _clean_environment()
    into = ["--python", str(environment / "bin" / "python"), "--quiet"]
    uv = [sys.executable, "-m", "uv"]
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, str(environment)],
        [*uv, "pip", "install", *into, "--require-hashes", "-r", str(ROOT / "requirements-serve.lock")],
        [*uv, "pip", "install", *into, "--no-deps", str(ROOT)],
    ):
        subprocess.run(command, check=True, env=variables, cwd=tmp_path)
    port = free_port()
    home = tmp_path / "data"
    command = [str(environment / "bin" / "clew"), "serve"]
    served = {**variables, "CLEW_HOME": str(home), "CLEW_PORT": str(port), "NEO4J_URI": "bolt://127.0.0.1:9"}
    served |= {"NEO4J_USERNAME": "neo4j", "NEO4J_PASSWORD": "nobody-listens"}
    process = subprocess.Popen(command, env=served, cwd=tmp_path)
    try:
        assert _answers(f"http://127.0.0.1:{port}/health/live", process) == 200
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def _pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), flags=re.MULTILINE))


def _clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("CLEW_", "NEO4J_"))}


def _answers(url: str, process: subprocess.Popen[bytes], timeout_s: float = 60) -> int:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.status
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no answer from {url} in {timeout_s} s")
