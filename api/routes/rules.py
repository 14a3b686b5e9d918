"""Merchandising rules: what is pinned, boosted, buried, hidden or mixed in, where and when."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from api.auth import Presented, needs
from api.json import StrictJsonRoute, send
from api.keys import find_key
from api.openapi import ASK, READ, READ_ONE, WRITE, answers_with, problems_of
from api.schemas_rules import PreviewIn, RuleIn
from api.services import Services
from api.state import Use, UseRules
from api.types import PathId
from domain.errors import InvalidRequest
from domain.rule_answers import Preview, RuleHistory, RuleList, RuleOut

router = APIRouter(route_class=StrictJsonRoute, tags=["rules"])
RuleId = Annotated[PathId, Path(description="Id of a rule, percent-encoded.", examples=["front-page-pin"])]
IfMatch = Annotated[
    str | None,
    Header(description='The version to change, as in ETag; "0" or 0: only where there is none. Left out: any.'),
]
CHANGED = answers_with(RuleOut, "The rule as stored, with warnings about it.", *WRITE, 412)


@router.get(
    "/v1/rules",
    summary="All rules",
    dependencies=[needs("read")],
    responses=answers_with(RuleList, "By falling priority, then by id.", *READ),
)
def list_rules(rules: UseRules) -> Response:
    """Also those that are switched off or not valid now. Warnings are told with each single rule."""
    return send(rules.all())


@router.post(
    "/v1/rules/preview",
    summary="Try a rule",
    dependencies=[needs("read")],
    responses=answers_with(Preview, "Lists of some users, as they are and with the rule.", *ASK),
)
def preview(body: PreviewIn, rules: UseRules) -> Response:
    """Nothing is stored, and nobody sees these lists."""
    return send(rules.preview(body))


@router.get(
    "/v1/rules/{rule_id}",
    summary="A rule",
    dependencies=[needs("read")],
    responses=answers_with(RuleOut, "The rule, with warnings about it. Its version is the ETag.", *READ_ONE),
)
def get_rule(rule_id: RuleId, rules: UseRules) -> Response:
    """`rule` is in the form that PUT takes."""
    return _tagged(rules.get(rule_id))


@router.put(
    "/v1/rules/{rule_id}",
    summary="Make or replace a rule",
    dependencies=[needs("write")],
    responses={**CHANGED, **answers_with(RuleOut, "Made.", status=201)},
)
def put_rule(
    rule_id: RuleId,
    body: RuleIn,
    rules: UseRules,
    services: Use,
    presented: Presented,
    if_match: IfMatch = None,
) -> Response:
    """Holds from the next list on, on every server. Twice equals once: the same rule again is no new version."""
    made, created = rules.put(rule_id, body.as_rule(), _version_of(if_match), _who(services, presented))
    return _tagged(made, 201 if created else 200)


@router.delete(
    "/v1/rules/{rule_id}",
    status_code=204,
    summary="Delete a rule",
    dependencies=[needs("write")],
    responses={204: {"description": "It does nothing any more."}, **problems_of(*READ_ONE, 412, 507)},
)
def delete_rule(
    rule_id: RuleId, rules: UseRules, services: Use, presented: Presented, if_match: IfMatch = None
) -> Response:
    """Its versions stay, to be looked at."""
    rules.delete(rule_id, _version_of(if_match), _who(services, presented))
    return Response(status_code=204)


@router.get(
    "/v1/rules/{rule_id}/versions",
    summary="Every change of a rule",
    dependencies=[needs("read")],
    responses=answers_with(RuleHistory, "Who changed what, and when; newest first.", *READ_ONE),
)
def rule_versions(rule_id: RuleId, rules: UseRules) -> Response:
    """From Neo4j, and from the log what is not there yet. Also of a rule that was deleted."""
    return send(rules.history(rule_id))


def _tagged(rule: RuleOut, status: int = 200) -> Response:
    answer = send(rule, status)
    answer.headers["ETag"] = f'"{rule.version}"'
    return answer


def _version_of(if_match: str | None) -> int | None:
    """Raises: InvalidRequest for what is no version."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidRequest("If-Match is a version of the rule, as its ETag has it", field="If-Match")
    return int(text)


def _who(services: Services, presented: str | None) -> str:
    """The name of the caller's key."""
    key = find_key(services.keys, presented) if services.keys and presented else None
    return key.name if key else "local"
