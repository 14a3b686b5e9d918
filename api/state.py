"""What one app holds, and how its routes find it."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request

from api.admission import Admission
from api.metrics import Metrics
from api.releaser import Releaser
from api.rule_writes import RuleWrites
from api.services import Services
from api.watch import GraphWatch
from api.writes import Writes


@dataclass(frozen=True)
class AppState:
    services: Services
    watch: GraphWatch
    metrics: Metrics
    admission: Admission
    writes: Writes
    rules: RuleWrites
    releaser: Releaser

    @classmethod
    def of(cls, services: Services) -> "AppState":
        watch, metrics = GraphWatch(services.graph, services.log.last_offset), Metrics()
        admission = Admission(services, metrics)
        writes = Writes(services, watch, admission)
        rules, releaser = RuleWrites(services, writes), Releaser(admission, services.world)
        return cls(services, watch, metrics, admission, writes, rules, releaser)


def state_of(app: FastAPI) -> AppState:
    return cast(AppState, app.state.clew)


async def _services(request: Request) -> Services:
    return state_of(request.app).services


async def _watch(request: Request) -> GraphWatch:
    return state_of(request.app).watch


async def _metrics(request: Request) -> Metrics:
    return state_of(request.app).metrics


async def _admission(request: Request) -> Admission:
    return state_of(request.app).admission


async def _writes(request: Request) -> Writes:
    return state_of(request.app).writes


async def _rules(request: Request) -> RuleWrites:
    return state_of(request.app).rules


Use = Annotated[Services, Depends(_services)]
UseWatch = Annotated[GraphWatch, Depends(_watch)]
UseMetrics = Annotated[Metrics, Depends(_metrics)]
UseAdmission = Annotated[Admission, Depends(_admission)]
UseWrites = Annotated[Writes, Depends(_writes)]
UseRules = Annotated[RuleWrites, Depends(_rules)]
