"""The public HTTP API as the console uses it. Every answer is a type of domain/, every refusal an ApiProblem."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from domain.answers import CatalogueHealth, Explanation, Found, Profile, RankedList, SearchAnswer
from domain.declared import DeclaredTypes
from domain.rule_answers import Preview, RuleHistory, RuleList, RuleOut
from domain.why_not import WhyNot

T = TypeVar("T")
TIMEOUT_S = 20.0
NO_KEY = "Put a key of this server into CLEW_CONSOLE_KEY (`clew keys new console --scope write` makes one) and restart "
TITLES = {
    401: "The API asks for a key",
    403: "This key may not do that",
    404: "Not found",
    422: "The API does not take that",
    503: "Not available just now",
}
Body = dict[str, Any]


class ApiProblem(Exception):
    """Why the API did not answer as asked, in words for the page.

    code: of the problem document, or api_down. status: of HTTP; 0: no answer came.
    """

    def __init__(self, code: str, title: str, detail: str, status: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.title = title
        self.detail = detail
        self.status = status


class Api:
    """url: of the API. key: sent in X-API-Key; None: the API asks for none. Raises (any call): ApiProblem."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        headers = {"X-API-Key": key} if key else {}
        self._client = httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S)

    async def ready(self) -> Body:
        """status, and with a read key model_version and graph."""
        return await self._call("GET", "/health/ready", Body, accept=(503,))

    async def search(self, query: str, kind: str, n: int = 8) -> tuple[Found, ...]:
        answer = await self._call("GET", "/v1/search", SearchAnswer, params={"q": query[:256], "kind": kind, "n": n})
        return answer.found

    async def profile(self, user_id: str) -> Profile:
        return await self._call("GET", f"/v1/users/{_id(user_id)}", Profile)

    async def recommend(self, body: Body) -> RankedList:
        return await self._call("POST", "/v1/recommendations", RankedList, json=body)

    async def explanation(self, body: Body, item_id: str) -> Explanation:
        """Of an item in the list that `recommend` gives to the same body."""
        return await self._call("POST", f"/v1/items/{_id(item_id)}/explanation", Explanation, json=body)

    async def why_not(self, body: Body, item_id: str) -> WhyNot:
        """The same for an item that the list does not have."""
        return await self._call("POST", f"/v1/items/{_id(item_id)}/why-not", WhyNot, json=body)

    async def answer(self, recommendation_id: str) -> Body:
        """The ledger of one answer."""
        return await self._call("GET", f"/v1/recommendations/{_id(recommendation_id)}", Body)

    async def answers(self, limit: int) -> Sequence[Body]:
        """The newest answers."""
        found = await self._call("GET", "/v1/recommendations", Body, params={"limit": limit})
        return found["answers"]

    async def relations_to(self, entity_id: str) -> Sequence[str]:
        """The relation types by which items have an entity, the commonest first."""
        path = f"/v1/entities/{_id(entity_id)}/items"
        items = (await self._call("GET", path, RankedList, params={"n": 20})).items
        paths = [reason.path for item in items for reason in item.reasons if reason.path is not None]
        return [kind for kind, _ in Counter(path.edges[-1].type for path in paths).most_common()]

    async def item_of(self, entity_id: str) -> str:
        """An item that has an entity, the one that most people took. Raises: ApiProblem, also when there is none."""
        items = (await self._call("GET", f"/v1/entities/{_id(entity_id)}/items", RankedList, params={"n": 1})).items
        if not items:
            raise ApiProblem("no_items", "Nothing to look at", f"No item has {entity_id}: choose what is looked at.")
        return items[0].item_id

    async def types(self) -> DeclaredTypes:
        """What a rule may name."""
        return await self._call("GET", "/v1/catalogue/types", DeclaredTypes)

    async def name_of(self, node_id: str, kind: str) -> str:
        """What an item or an entity is called; its id, where there is nothing of that id."""
        path = f"/v1/{'items' if kind == 'item' else 'entities'}/{_id(node_id)}"
        try:
            return str((await self._call("GET", path, Body)).get("name") or node_id)
        except ApiProblem as problem:
            if problem.status == 404:
                return node_id
            raise

    async def rules(self) -> Sequence[RuleOut]:
        return (await self._call("GET", "/v1/rules", RuleList)).rules

    async def rule(self, rule_id: str) -> RuleOut:
        """With warnings about it."""
        return await self._call("GET", f"/v1/rules/{_id(rule_id)}", RuleOut)

    async def put_rule(self, rule_id: str, rule: Body, version: int) -> RuleOut:
        """version: the one that it replaces; 0: it is new. A problem of status 412: there is another one by now."""
        path = f"/v1/rules/{_id(rule_id)}"
        return await self._call("PUT", path, RuleOut, json=rule, headers={"If-Match": f'"{version}"'})

    async def delete_rule(self, rule_id: str, version: int) -> None:
        """Problem of status 412: as with put_rule."""
        await self._call("DELETE", f"/v1/rules/{_id(rule_id)}", None, headers={"If-Match": f'"{version}"'})

    async def rule_history(self, rule_id: str) -> RuleHistory:
        return await self._call("GET", f"/v1/rules/{_id(rule_id)}/versions", RuleHistory)

    async def preview(self, body: Body) -> Preview:
        """Lists of some users before and after a rule."""
        return await self._call("POST", "/v1/rules/preview", Preview, json=body)

    async def catalogue_health(self) -> CatalogueHealth:
        return await self._call("GET", "/v1/catalogue/health", CatalogueHealth)

    async def close(self) -> None:
        await self._client.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[T] | None,
        *,
        params: dict[str, Any] | None = None,
        json: Body | None = None,
        headers: dict[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> T:
        try:
            response = await self._client.request(method, path, params=params, json=json, headers=headers)
        except httpx.HTTPError as error:
            raise ApiProblem(
                "api_down",
                "The API does not answer",
                f"Nothing useful came from {self.url} ({type(error).__name__}). Start it with `clew serve` or "
                "`make demo`, then load this page again.",
            ) from error
        if not response.is_success and response.status_code not in accept:
            raise _problem(response)
        if answer is None:
            return None  # type: ignore[return-value]
        return msgspec.json.decode(response.content, type=answer)


def _problem(response: httpx.Response) -> ApiProblem:
    try:
        body: Body = msgspec.json.decode(response.content, type=Body)
    except msgspec.DecodeError:
        body = {}
    status, detail = response.status_code, str(body.get("detail", response.reason_phrase))
    if status == 401:
        detail = f"{NO_KEY}`clew console`."
    title = TITLES.get(status) or str(body.get("title", "That did not work"))
    return ApiProblem(str(body.get("code", status)), title, detail, status)


def _id(value: str) -> str:
    return quote(value, safe="")
