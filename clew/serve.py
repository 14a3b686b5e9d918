"""Serving: one process with the API, and beside it the writer. Never imports torch."""

import errno
import gc
import logging
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from api.app import create_app
from clew.follow import Follower
from clew.heap import map_large_blocks
from clew.refresh import Refresher
from clew.settings import Settings, require_safe_bind
from clew.supervise import WriterSupervisor
from clew.warm import warm_up
from clew.wiring import Wired, wire
from domain.errors import PortTaken
from domain.progress import Progress

if TYPE_CHECKING:
    from clew.sharing import SharedWatch

logger = logging.getLogger("clew.serve")


@dataclass(frozen=True)
class Serving:
    """What a server that is ready says of itself."""

    url: str
    wired: Wired


def serve(
    settings: Settings, progress: Progress, on_ready: Callable[[Serving], None], *, with_writer: bool = True
) -> None:
    """Serves until SIGINT or SIGTERM, then ends the writer and returns.

    on_ready is called once requests are answered, and answered fast.
    Raises: InvalidSettings for an address that needs keys, PortTaken, LogError.
    """
    require_safe_bind(settings)
    map_large_blocks()
    with listen(settings) as listener, wire(settings, progress) as wired:
        with progress.step("Warming up"):
            warm_up(wired.services.recommender)
        gc.collect()
        gc.freeze()  # what stays: searching it for garbage kept requests waiting for up to 90 ms
        refresher = Refresher(settings, wired)
        writer = WriterSupervisor(settings.home / "logs" / "writer.log") if with_writer else None
        watch = watch_of(wired)
        follower = Follower(wired.services.world)
        follower.start()
        refresher.start()
        if watch:
            watch.start()
        if writer:
            writer.start()
        try:
            _run(wired, settings, listener, lambda: on_ready(Serving(settings.api_url, wired)))
        finally:
            refresher.stop()
            follower.stop()
            if watch:
                watch.stop()
            if writer:
                writer.stop()


def watch_of(wired: Wired) -> "SharedWatch | None":
    """Who watches over shared profiles, where there are any."""
    if wired.shared is None:
        return None
    from clew.sharing import SharedWatch  # speaks to Redis: an extra package

    return SharedWatch(wired.shared, wired.services.world)


def listen(settings: Settings) -> socket.socket:
    """A socket bound to the address of the settings. Raises: PortTaken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay, 40 ms an answer, off only where it is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise PortTaken(f"port {settings.port} of {settings.host} {why}; set CLEW_PORT to a free port") from error
    return listener


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def _run(wired: Wired, settings: Settings, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    config = uvicorn.Config(
        create_app(wired.services),
        host=settings.host,
        port=settings.port,
        http="httptools",
        loop="asyncio",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    with _OneSignal():
        _Server(config, on_ready).run(sockets=[listener])


class _OneSignal:
    """Around a server that ends by signal and then raises it once more: here the second time does nothing."""

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, _nothing) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """The server has handled it."""
