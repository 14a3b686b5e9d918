"""What one app holds, and how its routes find it."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request

from api.metrics import Metrics
from api.services import Services
from api.watch import GraphWatch
from api.writes import Writes


@dataclass(frozen=True)
class AppState:
    services: Services
    watch: GraphWatch
    metrics: Metrics
    writes: Writes

    @classmethod
    def of(cls, services: Services) -> "AppState":
        watch = GraphWatch(services.graph)
        return cls(services, watch, Metrics(), Writes(services, watch))


def state_of(app: FastAPI) -> AppState:
    return cast(AppState, app.state.clew)


async def _services(request: Request) -> Services:
    return state_of(request.app).services


async def _watch(request: Request) -> GraphWatch:
    return state_of(request.app).watch


async def _metrics(request: Request) -> Metrics:
    return state_of(request.app).metrics


async def _writes(request: Request) -> Writes:
    return state_of(request.app).writes


Use = Annotated[Services, Depends(_services)]
UseWatch = Annotated[GraphWatch, Depends(_watch)]
UseMetrics = Annotated[Metrics, Depends(_metrics)]
UseWrites = Annotated[Writes, Depends(_writes)]
