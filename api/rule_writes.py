"""Changes of merchandising rules: checked, appended to the log, and seen by the next request of every process."""

import time
from dataclasses import replace

import msgspec

from api.schemas_rules import PreviewIn
from api.services import Services
from api.types import iso
from api.writes import Writes
from domain.answers import RankedList
from domain.errors import GraphRefused, GraphUnavailable, UnknownRule, VersionMismatch
from domain.records import RuleDeleted, RulePut
from domain.rule_answers import Preview, RuleHistory, RuleList, RuleOut, RuleVersionOut
from domain.rules import Rule, StoredRule
from recommend.deadline import Patience
from recommend.request import RecommendRequest
from recommend.rule_checks import check_rule, warnings_for
from recommend.rule_preview import preview_of, users_for
from recommend.world import View

MOST_VERSIONS = 1_000
HISTORY_S = 2.0


class RuleWrites:
    """The rules of one server. by: who calls, as the versions tell it."""

    def __init__(self, services: Services, writes: Writes) -> None:
        self._services = services
        self._writes = writes
        self._patience = Patience()

    def all(self) -> RuleList:
        rules = self._writes.fresh().rules.stored.values()
        ordered = sorted(rules, key=lambda one: (-one.rule.priority if one.rule else 0, one.rule_id))
        return RuleList(rules=tuple(_out(one) for one in ordered))

    def get(self, rule_id: str) -> RuleOut:
        """Raises: UnknownRule."""
        view = self._writes.fresh()
        stored = _require(view, rule_id)
        assert stored.rule is not None
        return _out(stored, warnings_for(view, rule_id, stored.rule))

    def put(self, rule_id: str, rule: Rule, based_on: int | None, by: str) -> tuple[RuleOut, bool]:
        """The rule as it is now, and whether it was made. The same rule again changes nothing.

        Raises: InvalidRequest; VersionMismatch when `based_on` is not the version that there is.
        """
        view = self._writes.fresh()
        check_rule(view, rule)
        before = view.rules.stored.get(rule_id)
        _check_version(before, based_on)
        if before is None or not _is_same(before.rule, rule):
            record = RulePut(rule_id=rule_id, rule=rule, at=_now_ms(), by=rule.author or by, based_on=based_on)
            self._writes.append(record)
            after = self._writes.fresh().rules.stored.get(rule_id)
            if based_on is not None and (after is None or not _is_same(after.rule, rule)):
                raise VersionMismatch(f"rule {rule_id!r} was changed meanwhile; read it again", field="If-Match")
        return self.get(rule_id), before is None

    def delete(self, rule_id: str, based_on: int | None, by: str) -> None:
        """Its versions stay. Raises: UnknownRule, VersionMismatch."""
        before = _require(self._writes.fresh(), rule_id)
        _check_version(before, based_on)
        self._writes.append(RuleDeleted(rule_id=rule_id, at=_now_ms(), by=by, based_on=based_on))

    def history(self, rule_id: str) -> RuleHistory:
        """Neo4j's versions, and those of the log that are not there yet. Raises: UnknownRule."""
        view = self._writes.fresh()
        stored, complete = self._stored_versions(rule_id)
        known = [one for one in view.rules.changes if one.rule_id == rule_id]
        current = view.rules.stored.get(rule_id)
        by_version = {one.version: one for one in (*([current] if current else []), *known)}
        pending = {version: one for version, one in by_version.items() if version not in stored}
        both = {**stored, **pending}
        if not both:
            raise UnknownRule(f"no rule {rule_id!r} was ever there", field="rule_id")
        versions = tuple(
            RuleVersionOut(
                version=version,
                at=iso(both[version].at),
                by=both[version].by,
                rule=_plain(both[version].rule),
                state="stored" if version in stored else "pending",
            )
            for version in sorted(both, reverse=True)
        )
        return RuleHistory(rule_id=rule_id, versions=versions, complete=complete)

    def preview(self, body: PreviewIn) -> Preview:
        """Lists of some users as they are and with a draft, which is taken for enabled. Raises: InvalidRequest."""
        view, rule = self._writes.fresh(), msgspec.structs.replace(body.rule.as_rule(), enabled=True)
        check_rule(view, rule)
        asked = RecommendRequest(
            user_id="somebody",
            n=body.n,
            placement=body.placement,
            query=body.query,
            context_item_id=body.context_item_id,
            reasons=False,
        )
        at = _now_ms() if body.at is None else body.at
        user_ids = users_for(view, rule, asked, at) if body.user_ids is None else body.user_ids
        pairs: list[tuple[RankedList, RankedList]] = []
        for user_id in dict.fromkeys(user_ids):
            request = replace(asked, user_id=user_id)
            before = self._services.recommender.rehearse(request, body.at)
            after = self._services.recommender.rehearse_with(request, body.rule_id, rule, body.at)
            pairs.append((before, after))
        return preview_of(pairs, warnings_for(view, body.rule_id, rule))

    def _stored_versions(self, rule_id: str) -> tuple[dict[int, StoredRule], bool]:
        graph = self._services.graph
        if graph is None:
            return {}, False
        try:
            found = self._patience.wait(
                lambda: graph.rule_versions(rule_id, limit=MOST_VERSIONS, timeout_s=HISTORY_S), HISTORY_S
            )
        except (GraphUnavailable, GraphRefused):
            return {}, False
        return {one.version: one for one in found}, True


def _is_same(one: Rule | None, other: Rule) -> bool:
    """As JSON: to a filter 1 and true are different, and to Python they are equal."""
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")


def _require(view: View, rule_id: str) -> StoredRule:
    stored = view.rules.stored.get(rule_id)
    if stored is None:
        raise UnknownRule(f"no rule {rule_id!r}; PUT it first", field="rule_id")
    return stored


def _check_version(before: StoredRule | None, based_on: int | None) -> None:
    present = before.version if before else 0
    if based_on not in (None, present):
        told = f"it is at version {present}" if present else "it is not there"
        raise VersionMismatch(f"If-Match asks for version {based_on}, but {told}; read it again", field="If-Match")


def _out(stored: StoredRule, warnings: tuple[str, ...] = ()) -> RuleOut:
    return RuleOut(
        rule_id=stored.rule_id,
        version=stored.version,
        updated_at=iso(stored.at),
        updated_by=stored.by,
        rule=_plain(stored.rule) or {},
        warnings=warnings,
    )


def _plain(rule: Rule | None) -> dict[str, object] | None:
    """As a request has it: validity in ISO 8601."""
    if rule is None:
        return None
    plain = msgspec.to_builtins(rule)
    if "validity" in plain:
        plain["validity"] = {name: iso(value) for name, value in plain["validity"].items()}
    return {name: value for name, value in plain.items() if value != {}}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
