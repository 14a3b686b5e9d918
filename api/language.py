"""The language of reasons: `lang` in the request, or else what the caller's Accept-Language prefers."""

from typing import Annotated

from fastapi import Depends, Header, Query

from api.state import Use
from api.types import LANG
from recommend.wording import DEFAULT

MOST = 32  # entries of a header that are looked at
Lang = Annotated[str | None, Query(max_length=16, description=LANG)]


def preferred(accept_language: str, known: frozenset[str]) -> str:
    """The known language that the header ranks highest; English when there is none. "zh-CN" is "zh" here."""
    best, best_quality = DEFAULT, 0.0
    for entry in accept_language.split(",")[:MOST]:
        tag, _, parameters = entry.partition(";")
        language = tag.strip().lower().split("-")[0]
        quality = _quality(parameters)
        if language in known and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


async def _header_language(
    services: Use, accept_language: Annotated[str | None, Header(include_in_schema=False)] = None
) -> str:
    return preferred(accept_language or "", services.recommender.languages)


HeaderLanguage = Annotated[str, Depends(_header_language)]
