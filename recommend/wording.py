"""The words of reasons in each language: sentences with gaps, and what relations, entities and events are called.

They are data (wording.toml), to which a shop's own file of the same shape adds.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec

from domain.declarations import EntityType, EventKind, RelationType
from domain.errors import InvalidRequest, InvalidSettings

OWN_FILE = Path(__file__).with_name("wording.toml")
DEFAULT = "en"
SETTING = "CLEW_TEXTS"
_GAP = re.compile(r"\{([a-z_]+)\}")
_OF_RELATIONS = {"same", "phrase", "name", "described"}  # gaps that a relation fills
_GAPS = {  # of each sentence: what its gaps may be
    "same_entity": {"item", "which", "events", *_OF_RELATIONS},
    "context": {"item", "which", *_OF_RELATIONS},
    "taken_together": {"people", "item", "more"},
    "stated_taste": _OF_RELATIONS,
    "topical": {"people", *_OF_RELATIONS},
    "described": _OF_RELATIONS,
    "taste": set[str](),
    "some_taste": set[str](),
    "similar_people": {"liked", "peers", "values"},
    "popular_recent": {"people", "days"},
    "popular_ever": {"people"},
    "query": set[str](),
    "rules": set[str](),
    "which": {"verb"},
    "which_context": set[str](),
    "which_pick": set[str](),
    "neighbours": {"noun", "items", "id"},
    "both": {"left", "right"},
    "comma": set[str](),
    "person": set[str](),
    "people": {"count"},
}
_VARIANTS = {  # sentences with the gaps of another one
    "same_entity_named": "same_entity",
    "same_entities": "same_entity",
    "same_entities_named": "same_entity",
    "context_named": "context",
    "taken_together_two": "taken_together",
    "taken_together_more": "taken_together",
    "described_unnamed": "described",
    "similar_people_few": "similar_people",
    "neighbours_none": "neighbours",
}
GAPS = {**_GAPS, **{name: _GAPS[base] for name, base in _VARIANTS.items()}}
OF_A_RELATION = {name for name, gaps in GAPS.items() if gaps >= _OF_RELATIONS}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language of a file."""

    reasons: dict[str, str] = {}
    relations: dict[str, dict[str, str]] = {}
    labels: dict[str, str] = {}
    events: dict[str, str] = {}


@dataclass(frozen=True)
class Wording:
    """One language. reasons: every sentence there is; relations, labels, events: what differs from the declaration."""

    language: str
    reasons: Mapping[str, str]
    relations: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    events: Mapping[str, str] = field(default_factory=dict[str, str])

    def say(self, sentence: str, /, **values: object) -> str:
        """The sentence with its gaps filled."""
        return _filled(self.reasons[sentence], values)

    def say_of(self, relation: RelationType, sentence: str, name: str | None, /, **values: object) -> str:
        """A sentence about a relation to an entity of this name, in the relation's own words where it has some."""
        own = self.relations.get(relation.type, {})
        template = own.get(sentence, self.reasons[sentence])
        values |= {"same": self.same(relation), "phrase": self.phrase(relation, name), "name": name or ""}
        return _filled(template, values)

    def same(self, relation: RelationType) -> str:
        """Completes "Same ___ as Pulp Fiction"."""
        return self.relations.get(relation.type, {}).get("same", relation.same)

    def phrase(self, relation: RelationType, name: str | None) -> str:
        """ "directed by", or what was said here instead, with the entity's name where that has a place for it."""
        return _filled(self.relations.get(relation.type, {}).get("phrase", relation.phrase), {"name": name or ""})

    def described(self, relation: RelationType, name: str, *, is_named: bool = True) -> str:
        """ "directed by Quentin Tarantino"; for an entity without a name "has the director of Pulp Fiction"."""
        own = self.relations.get(relation.type, {}).get("phrase", "")
        if is_named and "{name}" in own:
            return self.phrase(relation, name)
        return self.say_of(relation, "described" if is_named else "described_unnamed", name)

    def listed(self, names: Sequence[str]) -> str:
        """ "crime, drama"; "" of none."""
        return self.reasons["comma"].join(names)

    def noun(self, kind: EntityType) -> str:
        return self.labels.get(kind.label, kind.noun)

    def verb(self, kind: EventKind, value: float | None) -> str:
        """What the user did: "rated 5"."""
        told = "" if value is None else f"{value:g}"
        return _filled(self.events.get(kind.name, kind.verb), {"value": told}).strip()


Wordings = Mapping[str, Wording]


def wordings(path: Path | None = None) -> Wordings:
    """All languages, with what the file adds. Raises: InvalidSettings naming what is wrong in it."""
    return _built_in() if path is None else _with(_built_in(), _read(path))


def wording_in(known: Wordings, language: str) -> Wording:
    """Raises: InvalidRequest for a language that nobody wrote texts in."""
    if language not in known:
        raise InvalidRequest(f"no texts in {language!r}; there are {', '.join(sorted(known))}", field="lang")
    return known[language]


@cache
def _built_in() -> Wordings:
    return _with({}, _read(OWN_FILE))


def _with(known: Wordings, added: Mapping[str, _File]) -> Wordings:
    """The languages of both. A new one says in English what it does not say itself."""
    found = dict(known)
    for language, file in sorted(added.items(), key=lambda entry: entry[0] != DEFAULT):
        base = found.get(language) or Wording(language, found[DEFAULT].reasons if DEFAULT in found else {})
        relations = {
            name: {**base.relations.get(name, {}), **file.relations.get(name, {})}
            for name in {**base.relations, **file.relations}
        }
        found[language] = Wording(
            language,
            {**base.reasons, **file.reasons},
            relations,
            {**base.labels, **file.labels},
            {**base.events, **file.events},
        )
    return found


def _read(path: Path) -> Mapping[str, _File]:
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
        files = msgspec.convert(parsed, dict[str, _File])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidSettings(f"{SETTING}: {path} cannot be used: {error}", field=SETTING) from error
    for language, file in files.items():
        _check(file, f"{SETTING}: {path}: {language}")
    return files


def _check(file: _File, where: str) -> None:
    """Raises: InvalidSettings for a sentence that is never said, or a gap that nothing fills."""
    for name, text in file.reasons.items():
        _check_sentence(name, text, set(GAPS), f"{where}.reasons")
    for relation, words in file.relations.items():
        for name, text in words.items():
            _check_sentence(name, text, {"same", "phrase", *OF_A_RELATION}, f"{where}.relations.{relation}")
    for name, text in file.events.items():
        _check_gaps(name, text, {"value"}, f"{where}.events")


def _check_sentence(name: str, text: str, known: set[str], where: str) -> None:
    if name not in known:
        raise InvalidSettings(f"{where}: no sentence {name!r}; there are {', '.join(sorted(known))}", field=SETTING)
    _check_gaps(name, text, {"same": set[str](), "phrase": {"name"}}.get(name, GAPS.get(name, set())), where)


def _check_gaps(name: str, text: str, known: set[str], where: str) -> None:
    for gap in _GAP.findall(text):
        if gap not in known:
            fills = ", ".join(sorted(f"{{{one}}}" for one in known)) or "no gap"
            raise InvalidSettings(f"{where}.{name}: nothing fills {{{gap}}}; it takes {fills}", field=SETTING)


def _filled(template: str, values: Mapping[str, object]) -> str:
    """Gaps that nothing fills stay."""
    parts = _parts(template)
    told = [str(values.get(part, f"{{{part}}}")) if place % 2 else part for place, part in enumerate(parts)]
    return "".join(told)


@cache
def _parts(template: str) -> list[str]:
    """Text, gap, text, gap, …, text."""
    return _GAP.split(template)
