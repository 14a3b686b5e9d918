"""From an answer to what the ledger keeps of it, packed small, and back to what is told of it."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.answers import RankedItem, RankedList, Reason, RuleEffect
from domain.errors import LedgerError
from domain.ledger import LedgerCandidate, LedgerEntry, LedgerGraph, LedgerRemoval
from recommend.answer_ids import given_at
from recommend.choice import Choice
from recommend.drafts import iso_time
from recommend.ranking import Ranking
from recommend.request import RecommendRequest
from recommend.subject import Subject
from recommend.world import View

NameOf = Callable[[str], str | None]
COMPETES = frozenset({"cap", "diversity"})  # what is removed for these could have been shown in another place
_LEVEL = 1  # zlib: 6 makes it 5 % smaller and takes three times as long
_DEFAULTS = {field.name: field.default for field in fields(RecommendRequest)}


@dataclass(frozen=True)
class Answered:
    """What the ledger needs of an answer, taken out while it is given: small, so that many can wait.

    rows: (c,) candidates by the model's score, then shown items that are not among them. model_ranks: (c,) from 1.
    parts: (p, c) in the order of part_names; scores: (c,) with the part of the rules.
    """

    answer: RankedList
    request: dict[str, Any]
    snapshot: str
    log_offset: int
    item_ids: NDArray[np.object_]
    rows: NDArray[np.int64]
    model_ranks: NDArray[np.int32]
    part_names: tuple[str, ...]
    parts: NDArray[np.float32]
    scores: NDArray[np.float64]
    removed: dict[int, LedgerRemoval]
    rules: dict[int, tuple[RuleEffect, ...]]
    applied: tuple[str, ...]
    warnings: tuple[str, ...]

    @classmethod
    def of(
        cls,
        view: View,
        subject: Subject,
        request: RecommendRequest,
        ranking: Ranking,
        choice: Choice,
        answer: RankedList,
    ) -> "Answered":
        """Of a visitor's session nothing is kept that says what is in it; nor who opted out."""
        known = set(choice.model_order)
        rows = np.array([*choice.model_order, *(row for row in choice.item_rows if row not in known)], np.int64)
        place = {row: place for place, row in enumerate(rows.tolist())}
        return cls(
            answer=_without_session(answer) if request.session is not None else _without_name(answer, subject),
            request=_asked(request, subject),
            snapshot=view.snapshot.version,
            log_offset=view.offset,
            item_ids=view.catalogue.item_ids,
            rows=rows,
            model_ranks=_ranks(choice, rows, len(known)),
            part_names=tuple(ranking.parts),
            parts=np.array([part[rows] for part in ranking.parts.values()], np.float32),
            scores=choice.scores[rows],
            removed={
                place[row]: LedgerRemoval(code=one.code, rule_id=one.rule_id, detail=one.detail)
                for row, one in choice.removed.items()
            },
            rules={place[row]: effects for row, effects in choice.effects.items() if row in place and effects},
            applied=choice.applied_rules,
            warnings=choice.warnings,
        )


class _Kept(msgspec.Struct, array_like=True):
    """The payload of a row. ranks int32, parts and scores float32: raw bytes."""

    answer: RankedList
    request: dict[str, Any]
    snapshot: str
    log_offset: int
    item_ids: list[str]
    ranks: bytes
    part_names: tuple[str, ...]
    parts: bytes
    scores: bytes
    removed: dict[int, LedgerRemoval]
    rules: dict[int, tuple[RuleEffect, ...]]
    applied: tuple[str, ...]
    warnings: tuple[str, ...]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Kept)


def pack(one: Answered) -> bytes:
    """The payload: about 4 to 8 kB for ten items with reasons among a hundred candidates."""
    kept = _Kept(
        answer=one.answer,
        request=one.request,
        snapshot=one.snapshot,
        log_offset=one.log_offset,
        item_ids=one.item_ids[one.rows].tolist(),
        ranks=one.model_ranks.tobytes(),
        part_names=one.part_names,
        parts=one.parts.tobytes(),
        scores=one.scores.astype(np.float32).tobytes(),
        removed=one.removed,
        rules=one.rules,
        applied=one.applied,
        warnings=one.warnings,
    )
    return zlib.compress(_ENCODER.encode(kept), _LEVEL)


def unpack(payload: bytes, name_of: NameOf) -> LedgerEntry:
    """What is told of an answer. name_of: what an item is called now. Raises: LedgerError for a damaged payload."""
    try:
        kept = _DECODER.decode(zlib.decompress(payload))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise LedgerError(f"an answer of the ledger cannot be read: {error}; it may be of another version") from error
    answer = kept.answer
    return LedgerEntry(
        recommendation_id=answer.recommendation_id,
        at=iso_time(given_at(answer.recommendation_id) or 0),
        user_id=answer.user_id,
        request=kept.request,
        strategy=answer.strategy,
        fallback=answer.fallback,
        model_version=answer.model_version,
        graph=LedgerGraph(snapshot=kept.snapshot, log_offset=kept.log_offset),
        items=answer.items,
        left_out=answer.left_out,
        notes=answer.notes,
        rules=kept.applied,
        warnings=kept.warnings,
        candidates=_candidates(kept, name_of),
        took_ms=answer.took_ms,
    )


def _candidates(kept: _Kept, name_of: NameOf) -> tuple[LedgerCandidate, ...]:
    shown = {item.item_id: item.rank for item in kept.answer.items}
    ranks = np.frombuffer(kept.ranks, np.int32).tolist()
    scores = np.frombuffer(kept.scores, np.float32).tolist()
    columns = np.frombuffer(kept.parts, np.float32).reshape(len(kept.part_names), -1).T.tolist()
    could, found = 0, list[LedgerCandidate]()
    for place, item_id in enumerate(kept.item_ids):
        removed, rank = kept.removed.get(place), shown.get(item_id)
        could += removed is None or removed.code in COMPETES
        parts = dict(zip(kept.part_names, columns[place], strict=True))
        effects = kept.rules.get(place, ())
        one = LedgerCandidate(
            item_id=item_id,
            name=name_of(item_id),
            source="rule" if any(effect.effect == "pin" for effect in effects) else kept.answer.strategy,
            model_rank=ranks[place],
            model_score=sum(parts.values()),
            parts=parts,
            score=scores[place],
            rank=rank,
            moved=None if rank is None else could - rank,
            rules=effects,
            removed=None if rank else removed,
        )
        found.append(one)
    return tuple(found)


def _ranks(choice: Choice, rows: NDArray[np.int64], candidates: int) -> NDArray[np.int32]:
    """(c,) places by the model's score: 1, 2, … for the candidates, counted for shown items beyond them."""
    counted = [1 + np.count_nonzero(choice.model_scores > choice.model_scores[row]) for row in rows[candidates:]]
    return np.array([*range(1, candidates + 1), *counted], np.int32)


def _asked(request: RecommendRequest, subject: Subject) -> dict[str, Any]:
    """What was asked for beyond the defaults. A session is told by its length, one who opted out not at all."""
    given = {name: getattr(request, name) for name in _DEFAULTS}
    asked = {name: value for name, value in given.items() if value != _DEFAULTS[name]}
    if request.session is not None:
        asked["session"] = len(request.session)
    if subject.is_opted_out:
        del asked["user_id"]
    return msgspec.to_builtins(asked)


def _without_session(answer: RankedList) -> RankedList:
    """Reasons by code and share alone: their texts and paths name what was in the session, which is never stored."""
    items = [msgspec.structs.replace(item, reasons=tuple(map(_untold, item.reasons))) for item in answer.items]
    left_out = tuple(one for one in answer.left_out if one.code != "unknown_item")  # some were of the session
    return msgspec.structs.replace(answer, items=tuple[RankedItem, ...](items), left_out=left_out)


def _untold(reason: Reason) -> Reason:
    return msgspec.structs.replace(reason, text="", path=None)


def _without_name(answer: RankedList, subject: Subject) -> RankedList:
    return msgspec.structs.replace(answer, user_id=None) if subject.is_opted_out else answer
