"""What Prometheus may know of the API: requests, their time, the log, the writer and the model."""

from collections import Counter as Counts
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import Scope

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
PROFILES = {
    "users": "Users in the memory of this process.",
    "bytes": "Memory that they take, roughly.",
    "evicted": "How often a user left memory.",
    "shared_up": "1 while Redis answers, 0 while this process goes on alone; no value without CLEW_PROFILES.",
    "shared_lag": "Records of the log that Redis does not hold yet.",
}
LEDGER = {
    "kept": "Answers that this process wrote into the ledger.",
    "dropped": "Answers that it did not, because too many waited or the file failed.",
    "waiting": "Answers that wait to be written.",
}
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Metrics:
    """The counters of one app, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "clew_http_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "clew_http_request_seconds", "Time to answer.", ["route"], buckets=SECONDS, registry=self._registry
        )
        self._events = Counter("clew_events", "Events posted, by verdict.", ["verdict"], registry=self._registry)
        self._rejected = Counter("clew_events_rejected", "Events rejected, by code.", ["code"], registry=self._registry)
        self._dead = Gauge("clew_dead_letters", "Events put aside, by code.", ["code"], registry=self._registry)
        self._log_offset = Gauge("clew_log_offset", "Newest record of the log.", registry=self._registry)
        self._writer_lag = Gauge("clew_writer_lag", "Records not yet in Neo4j.", registry=self._registry)
        self._writer_lag_s = Gauge(
            "clew_writer_lag_seconds", "How long the oldest record not in Neo4j has waited.", registry=self._registry
        )
        self._model = Gauge("clew_model", "The model that serves.", ["version"], registry=self._registry)

        self._profiles = {
            name: Gauge(f"clew_profiles_{name}", text, registry=self._registry) for name, text in PROFILES.items()
        }
        self._ledger = {
            name: Gauge(f"clew_ledger_{name}", text, registry=self._registry) for name, text in LEDGER.items()
        }

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts one answer under its route's template, so that ids do not become labels."""
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_events(self, *, accepted: int, duplicated: int, held: int) -> None:
        for verdict, count in (("accepted", accepted), ("duplicated", duplicated), ("held", held)):
            self._events.labels(verdict).inc(count)

    def count_released(self, count: int) -> None:
        """Held events whose item or user came."""
        self._events.labels("released").inc(count)

    def count_rejected(self, codes: Sequence[str]) -> None:
        """codes: one for each rejected event."""
        self._events.labels("rejected").inc(len(codes))
        for code, count in Counts(codes).items():
            self._rejected.labels(code).inc(count)

    def page(
        self,
        *,
        log_offset: int,
        writer_lag: int | None,
        writer_lag_s: float | None,
        model_version: str | None,
        profiles: Mapping[str, float | None],
        dead: Mapping[str, int],
        ledger: Mapping[str, int],
    ) -> bytes:
        """The text for Prometheus. profiles: a value for each of PROFILES. dead: letters by code, and "dropped".

        ledger: a value for each of LEDGER; empty: no answers are kept.
        """
        self._dead.clear()
        for code, count in dead.items():
            self._dead.labels(code).set(count)
        self._log_offset.set(log_offset)
        self._writer_lag.set(float("nan") if writer_lag is None else writer_lag)
        self._writer_lag_s.set(float("nan") if writer_lag_s is None else writer_lag_s)
        for name, gauge in self._profiles.items():
            value = profiles[name]
            gauge.set(float("nan") if value is None else value)
        for name, gauge in self._ledger.items():
            gauge.set(ledger.get(name, float("nan")))
        self._model.clear()
        self._model.labels(model_version or "none").set(1)
        return generate_latest(self._registry)
