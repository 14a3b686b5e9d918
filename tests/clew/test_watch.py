"""When `clew train --watch` trains, told by the models on disk."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from clew import watch as watching
from clew.models import earlier, held, newest, on_disk
from clew.watch import When, seconds_of, watch
from domain.errors import InvalidRequest, NoModel
from embeddings.artifact import FORMAT, MANIFEST, SNAPSHOT, WEIGHTS, FileSum, Manifest, hold_back, switch_current
from embeddings.weights import Normalisation


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(watching, "POLL_S", 0.01)
    return tmp_path / "models"


def put(models_dir: Path, version: str, *, log_offset: int = 0, age_s: float = 0.0) -> None:
    """A version as far as its manifest goes, which is all that is looked at here."""
    made_at = datetime.now(UTC) - timedelta(seconds=age_s)
    nothing = FileSum(size=0, sha256="")
    manifest = Manifest(
        format=FORMAT,
        version=version,
        created_at=made_at.isoformat(),
        seed=0,
        snapshot_version="s",
        log_offset=log_offset,
        declaration="d",
        counts={},
        metrics={"validation_ndcg@10": 0.25},
        settings={},
        normalisation=Normalisation(),
        versions={},
        shapes={},
        files={WEIGHTS: nothing, SNAPSHOT: nothing},
    )
    (models_dir / version).mkdir(parents=True)
    (models_dir / version / MANIFEST).write_bytes(msgspec.json.encode(manifest))


def trainings(models_dir: Path, when: When, *, offset: int = 0, code: int = 0, seconds: float = 0.3) -> int:
    """How often a watch trains in so many seconds, when each training makes a version of the log as it is."""
    stop, done = threading.Event(), list[str]()

    def train() -> int:
        done.append(f"w{len(done)}")
        if code == 0:
            put(models_dir, done[-1], log_offset=offset)
        return code

    thread = threading.Thread(target=watch, args=(models_dir, lambda: offset, when, stop, train))
    thread.start()
    time.sleep(seconds)
    stop.set()
    thread.join(timeout=5)
    assert not thread.is_alive()
    return len(done)


def test_without_a_model_it_trains_at_once_and_once(models_dir: Path) -> None:
    assert trainings(models_dir, When(3600, None)) == 1


def test_it_trains_when_the_newest_model_is_old_enough(models_dir: Path) -> None:
    put(models_dir, "v1", age_s=100)
    assert trainings(models_dir, When(3600, None)) == 0
    assert trainings(models_dir, When(60, None)) == 1


def test_it_trains_when_enough_events_came(models_dir: Path) -> None:
    put(models_dir, "v1", log_offset=100)
    assert trainings(models_dir, When(None, 50), offset=149) == 0
    assert trainings(models_dir, When(None, 50), offset=150) == 1


def test_a_version_held_back_counts_as_a_training(models_dir: Path) -> None:
    put(models_dir, "v1", log_offset=0)
    put(models_dir, "v2", log_offset=100)
    hold_back(models_dir, "v2", "worse")
    assert trainings(models_dir, When(None, 50), offset=120) == 0


def test_after_a_failure_it_waits(models_dir: Path) -> None:
    assert trainings(models_dir, When(None, 1), offset=10, code=1) == 1


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h", 3600), ("2d", 172_800)])
def test_spans_of_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "-1h", "1.5h", "1w"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="30m"):
        seconds_of(text)


def test_models_are_listed_newest_first_with_their_state(models_dir: Path) -> None:
    assert on_disk(models_dir) == []
    for version in ("v1", "v2", "v3", "v4"):
        put(models_dir, version)
    switch_current(models_dir, "v3")
    hold_back(models_dir, "v4", "worse than v3")
    (models_dir / "v1" / MANIFEST).unlink()
    found = [(model.version, model.state, model.ndcg) for model in on_disk(models_dir)]
    assert found == [("v4", "held back", 0.25), ("v3", "serves", 0.25), ("v2", "ready", 0.25), ("v1", "damaged", None)]
    assert on_disk(models_dir)[0].note == "worse than v3"
    assert held(models_dir) == "v4"
    last = newest(models_dir)
    assert last is not None
    assert last.version == "v4"


def test_going_back_takes_the_newest_earlier_one_that_may_serve(models_dir: Path) -> None:
    for version in ("v1", "v2", "v3"):
        put(models_dir, version)
    with pytest.raises(NoModel):
        earlier(models_dir, None)
    switch_current(models_dir, "v3")
    assert earlier(models_dir, None) == "v2"
    assert earlier(models_dir, "v1") == "v1"
    hold_back(models_dir, "v2", "worse")
    assert earlier(models_dir, None) == "v1"
    with pytest.raises(NoModel, match="models publish v3"):
        earlier(models_dir, "v3")
    with pytest.raises(NoModel, match="v9"):
        earlier(models_dir, "v9")
    switch_current(models_dir, "v1")
    with pytest.raises(NoModel, match="no earlier"):
        earlier(models_dir, None)
