"""The public HTTP API as the console uses it. Every answer is a type of domain/, every refusal an ApiProblem."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from domain.answers import CatalogueHealth, Explanation, Found, Profile, RankedList, SearchAnswer

T = TypeVar("T")
TIMEOUT_S = 20.0
NO_KEY = "Put a key of this server into CLEW_CONSOLE_KEY (`clew keys new console --scope write` makes one) and restart "
Body = dict[str, Any]


class ApiProblem(Exception):
    """Why the API did not answer as asked, in words for the page. code: of the problem document, or api_down."""

    def __init__(self, code: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.title = title
        self.detail = detail


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

    async def explanation(self, user_id: str, item_id: str) -> Explanation:
        return await self._call("GET", f"/v1/users/{_id(user_id)}/items/{_id(item_id)}/explanation", Explanation)

    async def why_not(self, user_id: str, item_id: str) -> Body:
        return await self._call("GET", f"/v1/users/{_id(user_id)}/items/{_id(item_id)}/why-not", Body)

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

    async def rules(self) -> Sequence[Body]:
        return (await self._call("GET", "/v1/rules", Body))["rules"]

    async def put_rule(self, rule_id: str, rule: Body) -> Body:
        return await self._call("PUT", f"/v1/rules/{_id(rule_id)}", Body, json=rule)

    async def delete_rule(self, rule_id: str) -> None:
        await self._call("DELETE", f"/v1/rules/{_id(rule_id)}", None)

    async def preview(self, body: Body) -> Body:
        """Lists of sample users before and after a rule."""
        return await self._call("POST", "/v1/rules/preview", Body, json=body)

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
        accept: tuple[int, ...] = (),
    ) -> T:
        try:
            response = await self._client.request(method, path, params=params, json=json)
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
    code, detail = str(body.get("code", response.status_code)), str(body.get("detail", response.reason_phrase))
    if response.status_code == 401:
        return ApiProblem(code, "The API asks for a key", f"{NO_KEY}`clew console`.")
    if response.status_code == 403:
        return ApiProblem(code, "This key may not do that", detail)
    if response.status_code == 404:
        return ApiProblem(code, "Not found", detail)
    if response.status_code == 503:
        return ApiProblem(code, "Not available just now", detail)
    return ApiProblem(code, str(body.get("title", "That did not work")), detail)


def _id(value: str) -> str:
    return quote(value, safe="")
