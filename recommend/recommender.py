"""Recommendations and their explanations: the one class that the API and the command line call."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.answers import (
    CatalogueHealth,
    Explanation,
    Found,
    LeftOut,
    Neighbour,
    Profile,
    RankedItem,
    RankedList,
    Reason,
)
from domain.errors import AnswerNotKept, GraphRefused, GraphUnavailable, UnknownEntity, UnknownItem, UnknownUser
from domain.ledger import PastExplanation
from domain.rules import Rule
from domain.why_not import WhyNot
from recommend import browse, catalogue_health, cold_start, verify
from recommend.answer_ids import new_answer_id
from recommend.as_of import explained_then
from recommend.deadline import Deadline
from recommend.explain import Telling
from recommend.explanations import Asker
from recommend.grounds import Splitter
from recommend.ledger import Ledger
from recommend.ledger_entry import Answered
from recommend.listing import listed
from recommend.ports import GraphReader
from recommend.profile_view import profile_of
from recommend.ranking import Ranking, choose
from recommend.reasons import reasons_for_list
from recommend.request import ExplainRequest, RecommendRequest
from recommend.search import KINDS, Kind, search
from recommend.strategies import made_for, strategy_for
from recommend.subject import Subject, known_subject, subject_of
from recommend.supposing import Supposing
from recommend.turn import Turn, WaitingAside
from recommend.verify import Verifier
from recommend.why_not import why_not
from recommend.without import without
from recommend.wording import DEFAULT, Wording, Wordings, wording_in, wordings
from recommend.world import View, World

FIRST_CHECK_S = 2.0  # Neo4j plans and compiles the check when it is first asked
OPTED_OUT = "this user opted out: a popular list, and nothing is made of what they do"
EXPLAIN_CHECK_S = 2.0  # an explanation may take longer than a list


def wall_clock_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Recommender:
    """Answers from a World; asks Neo4j only for cold starts and to check paths. Safe to share between threads.

    graph: None when there is no Neo4j: paths are "unchecked" and cold starts fall back to stated tastes or popularity.
    now_ms: what counts as now, for items hidden for a time. verify_timeout_s: the budget of the one check per list.
    ledger: keeps every list of `recommend`; None: none is kept. texts: the words of reasons; None: those that come
    with Clew. browser: the address of Neo4j Browser, for links to paths.
    """

    def __init__(
        self,
        world: World,
        graph: GraphReader | None,
        *,
        now_ms: Callable[[], int] = wall_clock_ms,
        verify_timeout_s: float = 0.025,
        ledger: Ledger | None = None,
        texts: Wordings | None = None,
        browser: str | None = None,
    ) -> None:
        self.world = world
        self._wordings = texts or wordings()
        self._browser = browser
        self._ledger = ledger
        self._turn = Turn()
        self._graph = Deadline(graph) if graph else None
        self._aside = WaitingAside(self._graph, self._turn) if self._graph else None
        self._is_warm = False
        self._now_ms = now_ms
        self._verify_timeout_s = verify_timeout_s

    @property
    def languages(self) -> frozenset[str]:
        """In which reasons can be told."""
        return frozenset(self._wordings)

    def warm_up(self) -> bool:
        """Lets Neo4j plan what will be asked, so that the first answers are checked in time. Call it at the start.

        Returns: whether Neo4j answered.
        """
        if self._graph is not None:
            try:
                verify.warm_up(self._graph, timeout_s=cold_start.WARM_UP_S)
                cold_start.warm_up(self._graph)
                self._is_warm = True
            except (GraphUnavailable, GraphRefused):
                self._is_warm = False
        return self._is_warm

    def recommend(self, request: RecommendRequest) -> RankedList:
        """A ranked list with reasons. Fewer than n items when fewer are worth showing.

        Raises: UnknownUser (strict only), UnknownEntity for a stated taste, UnknownItem for the context item,
            InvalidRequest for the filter or a session event's kind.
        """
        answer, answered = self._recommended(request)
        if self._ledger is not None and not request.without:
            self._ledger.keep(answered())
        return answer

    def rehearse(self, request: RecommendRequest, at: int | None = None) -> RankedList:
        """The same list for nobody to see: the ledger does not keep it. at: as if it were then, ms UTC."""
        return self._recommended(request, at=at)[0]

    def rehearse_with(self, request: RecommendRequest, rule_id: str, rule: Rule, at: int | None) -> RankedList:
        """The list as it would be with a rule that nobody stores. at: as if it were then, ms UTC."""
        return self._recommended(request, lambda view: replace(view, rules=view.rules.with_draft(rule_id, rule)), at)[0]

    def _recommended(
        self, request: RecommendRequest, seen_as: Callable[[View], View] = lambda view: view, at: int | None = None
    ) -> tuple[RankedList, Callable[[], Answered]]:
        start = time.perf_counter()
        with self._turn:
            view, now_ms = seen_as(self._view()), self._now_ms() if at is None else at
            subject = _asked_subject(view, request, now_ms)
            if request.without:
                subject = without(view, subject, request.without, self._aside)
            ranking, splitter = made_for(view, subject, request, self._aside)
            choice = choose(view, subject, request, ranking, now_ms)
            words = wording_in(self._wordings, request.lang)
            reasons = self._reasons(splitter, choice.item_rows, words, choice.rules_part) if request.reasons else None
            items = listed(view, choice.item_rows, choice.scores, reasons, choice.effects)
            notes = ((OPTED_OUT,) if subject.is_opted_out else ()) + choice.warnings
            answer = _list_of(request.user_id, view, ranking, items, choice.left_out, start, notes)
            return answer, lambda: Answered.of(view, subject, request, ranking, choice, answer)

    def explain(self, user_id: str, item_id: str) -> Explanation:
        """The exact split of one score, every reason with its path. Raises: UnknownUser, UnknownItem."""
        return self.explain_fully(ExplainRequest(user_id=user_id, item_id=item_id))

    def explain_fully(self, request: ExplainRequest) -> Explanation:
        """The same with everything that can be asked of it.

        Raises: UnknownUser, UnknownItem, InvalidRequest for `lang` and `without`; GraphUnavailable when only Neo4j
            knows what `without` names.
        """
        return self.explain_in(
            request.listing,
            request.item_id,
            has_counterfactual=request.has_counterfactual,
            has_witness=request.has_witness,
        )

    def explain_in(
        self, request: RecommendRequest, item_id: str, *, has_counterfactual: bool = False, has_witness: bool = False
    ) -> Explanation:
        """The exact split of the score that an item has in the list of a request: of a user, a visitor or tastes.

        Raises: as recommend and explain_fully.
        """
        telling = Telling(wording_in(self._wordings, request.lang), self._browser, has_witness)
        with self._turn:
            view, now_ms = self._view(), self._now_ms()
            subject = _asked_subject(view, request, now_ms)
            item_row = _item_row(view, item_id)
            verifier = Verifier(self._aside, timeout_s=max(EXPLAIN_CHECK_S, self._verify_timeout_s))
            found = Asker(view, subject, request, self._aside, now_ms).explain(item_row, verifier, telling)
        if not has_counterfactual:
            return found
        missing = Asker(view, subject, request, self._graph, now_ms).counterfactual(item_row)  # long: others take turns
        return msgspec.structs.replace(found, counterfactual=missing)

    def explained_then(self, user_id: str, item_id: str, up_to_ms: int) -> PastExplanation:
        """Why an item was recommended on a day, by the newest answer up to a time that showed it to the user.

        Raises: AnswerNotKept.
        """
        if self._ledger is None:
            raise AnswerNotKept("no answers are kept; see CLEW_LEDGER_DAYS", field="as_of")
        view = self._view()
        entry = self._ledger.newest_with(user_id, item_id, max(0, up_to_ms), view.catalogue.name_of)
        verifier = Verifier(self._graph, timeout_s=max(EXPLAIN_CHECK_S, self._verify_timeout_s))
        return explained_then(view, entry, view.user(user_id), item_id, up_to_ms, verifier)

    def why_not(self, request: RecommendRequest, item_id: str, lang: str = "en") -> WhyNot:
        """Why an item is not in the list of a request, and what would bring it in. lang: en or zh.

        Raises: as recommend.
        """
        view, now_ms = self._view(), self._now_ms()
        subject = _asked_subject(view, request, now_ms)
        if request.without:
            subject = without(view, subject, request.without, self._graph)
        return why_not(Supposing(view, request, now_ms, self._aside, self._turn), subject, item_id, lang)

    def similar_items(self, item_id: str, n: int = 10) -> tuple[Neighbour, ...]:
        """Available items nearest to an item, with the names of entities they share. Raises: UnknownItem."""
        view = self._view()
        return browse.similar_items(view, _item_row(view, item_id), n)

    def similar_users(self, user_id: str, n: int = 10) -> tuple[Neighbour, ...]:
        """Users whose events compose to nearly the same vector. None without a model. Raises: UnknownUser."""
        view = self._view()
        return browse.similar_users(view, view.user(user_id) or _unknown_user(user_id), n)

    def entity_items(self, entity_id: str, n: int = 10, lang: str = DEFAULT) -> RankedList:
        """Available items of an entity, those that most people took first. lang: of the reasons.

        Raises: UnknownEntity, InvalidRequest for `lang`.
        """
        start = time.perf_counter()
        with self._turn:
            view = self._view()
            ranking, splitter, rows = browse.entity_items(view, _entity_row(view, entity_id), n)
            items = listed(view, rows, ranking.total, self._reasons(splitter, rows, wording_in(self._wordings, lang)))
            return _list_of(None, view, ranking, items, (), start)

    def user_entities(self, user_id: str, n: int = 10) -> tuple[Neighbour, ...]:
        """Entities nearest to what a user took. None without a model or events. Raises: UnknownUser."""
        view = self._view()
        record = view.user(user_id) or _unknown_user(user_id)
        return browse.user_entities(view, known_subject(view, record), n)

    def profile(self, user_id: str) -> Profile:
        """What is known of a user. Raises: UnknownUser."""
        view = self._view()
        return profile_of(view, view.user(user_id) or _unknown_user(user_id))

    def item(self, item_id: str) -> dict[str, object]:
        """An item's fields and relations. Raises: UnknownItem."""
        view = self._view()
        return browse.item(view, _item_row(view, item_id))

    def entity(self, entity_id: str) -> dict[str, object]:
        """An entity's name, type and how many items it has. Raises: UnknownEntity."""
        view = self._view()
        return browse.entity(view, _entity_row(view, entity_id))

    def search(self, query: str, kinds: Sequence[Kind] = KINDS, n: int = 10) -> tuple[Found, ...]:
        """Users, items and entities by what they are called, at most n of each kind."""
        return search(self._view(), query, kinds, n)

    def catalogue_health(self, users: int = 200, n: int = 10) -> CatalogueHealth:
        """What lists of n for so many users show of the catalogue. Other requests get their turn in between."""
        view = self._view()
        lists: list[tuple[int, ...]] = []
        for user_id in catalogue_health.sample(view, users):
            with self._turn:
                request = RecommendRequest(user_id=user_id, n=n, reasons=False)
                subject = subject_of(view, request, self._now_ms())
                ranking, _ = strategy_for(view, subject, self._aside)
                lists.append(choose(view, subject, request, ranking, self._now_ms()).item_rows)
        return catalogue_health.report(view, lists, n)

    def _view(self) -> View:
        self.world.catch_up()
        return self.world.view()

    def _reasons(
        self,
        splitter: Splitter,
        rows: tuple[int, ...],
        words: Wording,
        rules_part: NDArray[np.float32] | None = None,
    ) -> list[tuple[Reason, ...]]:
        verifier = Verifier(self._aside, timeout_s=self._verify_timeout_s if self._is_warm else FIRST_CHECK_S)
        reasons = reasons_for_list(splitter, rows, verifier, words, rules_part)
        self._is_warm = self._is_warm or verifier.has_answered
        return reasons


def _list_of(
    user_id: str | None,
    view: View,
    ranking: Ranking,
    items: tuple[RankedItem, ...],
    left_out: tuple[LeftOut, ...],
    start: float,
    notes: tuple[str, ...] = (),
) -> RankedList:
    return RankedList(
        recommendation_id=new_answer_id(),
        user_id=user_id,
        strategy=ranking.strategy,
        fallback=ranking.fallback,
        model_version=view.model_version,
        items=items,
        left_out=left_out,
        notes=notes,
        took_ms=(time.perf_counter() - start) * 1000,
    )


def _asked_subject(view: View, request: RecommendRequest, now_ms: int) -> Subject:
    """Raises: UnknownUser (strict only), and what subject_of raises."""
    subject = subject_of(view, request, now_ms)
    if request.strict and request.user_id is not None and subject.record is None:
        _unknown_user(request.user_id)
    return subject


def _item_row(view: View, item_id: str) -> int:
    row = view.catalogue.item_rows.get(item_id)
    if row is None:
        raise UnknownItem(f"no item {item_id!r}; PUT it first, or load a source that has it", field="item_id")
    return row


def _entity_row(view: View, entity_id: str) -> int:
    row = view.catalogue.entity_rows.get(entity_id)
    if row is None:
        raise UnknownEntity(f"no entity {entity_id!r}; ids have the form Type:key", field="entity_id")
    return row


def _unknown_user(user_id: str) -> NoReturn:
    raise UnknownUser(f"no user {user_id!r}; send an event first, or ask for popular items", field="user_id")
