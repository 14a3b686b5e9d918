"""Searches hyperparameters on a validation part: trials in an order that the seed fixes. Needs torch.

A trial changes one of the two fitted parts, the linear model or the encoder, beside the best other one so far, and is
kept when the fused lists rank better. Then the encoder becomes the mean of COPIES, as much of the linear model is made
to flow through the graph as costs nothing, and it is chosen how far short histories are trusted. A budget only ends the
list early: equal seeds and equal numbers of trials give equal models.
"""

import time
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import numpy as np

from embeddings.encoded import Encoded
from embeddings.features import Floats
from embeddings.fit_linear import Linear, LinearProblem
from embeddings.fitting import Fitting
from embeddings.fuse import Chosen, Components
from embeddings.settings import EncoderSettings, LinearSettings, TrainSettings, cosine_encoder
from embeddings.trust import with_trust
from embeddings.validation import UNCHOSEN, Validation

MOST_TRIALS = 60
MOST_RIDGES = 7  # of one linear model
COPIES = 2  # of the encoder that was found: what chance made of one is halved
SLACK = 1.3  # a fit may take so many times as long as the longest one before it
RIDGES = ((0.01, 0.03), (0.05, 0.1), (0.15, 0.4), (0.6, 1.2))
LINEAR_SPACE: dict[str, tuple[object, ...]] = {
    "ridges": RIDGES,
    "user_power": (0.0, 0.25, 0.5),
    "prior_scale": (0.0, 1.0, 2.0, 4.0),
    "session": (False, True),
}
ENCODER_SPACE: dict[str, tuple[object, ...]] = {
    "dim": (64, 128),
    "steps": (20, 60, 240, 480),
    "weight_decay": (0.1, 0.3, 1.0),
    "dropout": (0.3, 0.5, 0.6, 0.7),
    "svd_start": (False, True),
    "own_dropout": (0.0, 0.1),
}
COSINE_SPACE: dict[str, tuple[object, ...]] = {
    "dim": (64, 128),
    "steps": (200, 400, 800),
    "weight_decay": (0.0, 0.1, 0.3),
    "dropout": (0.3, 0.5, 0.7),
    "temperature": (0.1, 0.15, 0.2, 0.3),
    "own_dropout": (0.0, 0.1, 0.2),
}

GRAPH_SCALES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)  # of the graph prior
GRAPH_COST = 0.005  # of the best NDCG, at most, for a larger share of the graph
NO_LOSS = 0.01  # the most that the interval against the model without a graph may reach below it

Part = LinearSettings | EncoderSettings
T = TypeVar("T", LinearSettings, EncoderSettings)


@dataclass(frozen=True)
class Found:
    """What validation chose; settings.linear.ridges holds the one λ. trials: how many were run.

    encoded, linear: the best trials', when they were fitted to all of the data.
    """

    settings: TrainSettings
    chosen: Chosen
    trials: int
    encoded: Encoded | None = None
    linear: Linear | None = None

    @property
    def ridge(self) -> float:
        return self.settings.linear.ridges[0]


def trial_list(start: TrainSettings, cosine: EncoderSettings, seed: int) -> list[Part]:
    """The parts to try after `start`: first the encoder that compares by cosines, then by turns a linear model and an
    encoder, each a random change of the start's; every other encoder one of the cosine's.

    Equal arguments give equal lists; none repeats another.
    """
    rng = np.random.default_rng(seed)
    listed: list[Part] = [] if start.encoder == cosine else [cosine]
    known: set[Part] = {start.linear, start.encoder, cosine}
    while len(listed) < MOST_TRIALS:
        if len(listed) % 2:
            part = _drawn(start.linear, LINEAR_SPACE, rng)
        elif len(listed) % 4:
            part = _drawn(cosine, COSINE_SPACE, rng)
        else:
            part = _drawn(start.encoder, ENCODER_SPACE, rng)
        if part not in known:
            known.add(part)
            listed.append(part)
    return listed


def _drawn(start: T, space: dict[str, tuple[object, ...]], rng: np.random.Generator) -> T:
    """The start with about half of the fields of the space drawn from it."""
    changes = {name: values[int(rng.integers(len(values)))] for name, values in space.items() if rng.random() < 0.5}
    return msgspec.structs.replace(start, **changes)


@dataclass
class Search:
    """The best parts so far, of which a trial replaces one."""

    fitting: Fitting
    validation: Validation
    settings: TrainSettings
    chosen: Chosen = UNCHOSEN
    ran: int = 0
    longest_s: float = 0.0
    copy_s: float = 0.0  # what the best encoder took
    encoded: Encoded | None = None
    parts: Components | None = None
    linear: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    solved: Linear | None = None

    def start(self) -> None:
        """The start's own encoder and, for each of its ridges, its own linear model: one trial."""
        began = time.perf_counter()
        self.encoded = self._encode(self.settings)
        self.copy_s = time.perf_counter() - began
        self.parts = self.validation.parts(self.encoded)
        self._try_linear(self.settings.linear)
        self.ran += 1

    def run(self, trials: list[Part], until: float | None) -> None:
        """Runs the trials in order, until the clock (time.perf_counter) would pass `until`, copies included."""
        for part in trials:
            began = time.perf_counter()
            copies_s = self.copy_s * (COPIES - 1) * (1 if self.validation.whole else 2)
            if until is not None and began + (self.longest_s + copies_s) * SLACK > until:
                return
            if isinstance(part, LinearSettings):
                self._try_linear(part)
            else:
                self._try_encoder(part)
            self.longest_s = max(self.longest_s, time.perf_counter() - began)
            self.ran += 1

    def add_copies(self) -> None:
        """The encoder becomes the mean of COPIES from different starts; not a trial: it is worse only by chance."""
        assert self.encoded is not None
        if self.settings.encoder.copies >= COPIES:
            return
        encoder = msgspec.structs.replace(self.settings.encoder, copies=COPIES)
        self.settings = msgspec.structs.replace(self.settings, encoder=encoder)
        fit, matrix, title = self.validation.fit, self.validation.matrix, "Validation: more copies of the encoder"
        self.encoded = self.fitting.more_copies(self.encoded, fit, matrix, self.settings, title)
        self.parts = self.validation.parts(self.encoded)
        self.chosen = self.validation.rank(self.parts, self.linear)

    def widen_graph(self) -> None:
        """The largest scale of the graph prior that costs nothing, at the ridge that was chosen.

        Nothing: at most GRAPH_COST below the best NDCG, and against the model without a graph the 95 % interval stays
        above −NO_LOSS. The scale stays as it is where no larger one does.
        """
        assert self.parts is not None
        validation, linear, best = self.validation, self.settings.linear, self.chosen
        problem = self.fitting.pose(validation.fit, validation.matrix, linear)
        if not problem.fitted.any():
            return
        scales = [0.0, *(scale for scale in GRAPH_SCALES if scale > linear.prior_scale)]
        without: Chosen | None = None
        with self.fitting.progress.step(f"Validation: the graph's share, {len(scales)} scales", len(scales)) as advance:
            for scale in scales:
                solved = problem.solve(linear.ridges[0], prior_scale=scale)
                chosen = validation.rank(self.parts, solved.scores(validation.rows))
                advance(1)
                without = without or chosen
                if scale and chosen.ndcg >= (1 - GRAPH_COST) * best.ndcg and chosen.loss_against(without) <= NO_LOSS:
                    wider = msgspec.structs.replace(linear, prior_scale=scale)
                    self.settings = msgspec.structs.replace(self.settings, linear=wider)
                    self.chosen, self.solved = chosen, solved

    def weigh_short_histories(self) -> None:
        """How far a short history is trusted beside popularity."""
        assert self.encoded is not None
        assert self.solved is not None
        self.parts, self.linear = None, np.zeros((0, 0), np.float32)  # done with, and as large as what comes
        self.chosen = with_trust(self.validation, self.encoded, self.solved, self.chosen, self.fitting.seed)

    def found(self) -> Found:
        if not self.validation.whole:
            return Found(self.settings, self.chosen, self.ran)
        return Found(self.settings, self.chosen, self.ran, self.encoded, self.solved)

    def _try_linear(self, linear: LinearSettings) -> None:
        """With each of its λ; where the largest or smallest of several is the best, with larger or smaller ones.

        With the best of them, half of R without negative entries too, where that is to be chosen.
        """
        validation, form = self.validation, bool(linear.positive)
        problem = self.fitting.pose(validation.fit, validation.matrix, linear)
        found = {ridge: self._try_ridge(problem, ridge, positive=form) for ridge in linear.ridges}
        for factor, edge in ((2.0, max), (0.5, min)) if len(found) > 1 else ():
            while len(found) < MOST_RIDGES and max(found, key=found.__getitem__) == edge(found):
                ridge = edge(found) * factor
                found[ridge] = self._try_ridge(problem, ridge, positive=form)
        if linear.positive is None and not problem.is_product:
            self._try_ridge(problem, max(found, key=found.__getitem__), positive=True)

    def _try_ridge(self, problem: LinearProblem, ridge: float, *, positive: bool) -> float:
        """The NDCG of the fused lists."""
        assert self.parts is not None
        half = ", half of it positive" if positive else ""
        with self.fitting.progress.step(self._title(f"linear model, λ {ridge:g}{half}"), 1) as advance:
            solved = problem.solve(ridge, positive=positive)
            scores = solved.scores(self.validation.rows)
            chosen = self.validation.rank(self.parts, scores)
            advance(1)
        if chosen.ndcg > self.chosen.ndcg:
            one = msgspec.structs.replace(problem.settings, ridges=(ridge,), positive=positive)
            self.settings = msgspec.structs.replace(self.settings, linear=one)
            self.chosen, self.linear, self.solved = chosen, scores, solved
        return chosen.ndcg

    def _try_encoder(self, encoder: EncoderSettings) -> None:
        began = time.perf_counter()
        settings = msgspec.structs.replace(self.settings, encoder=encoder)
        encoded = self._encode(settings)
        took_s = time.perf_counter() - began
        parts = self.validation.parts(encoded)
        chosen = self.validation.rank(parts, self.linear)
        if chosen.ndcg > self.chosen.ndcg:
            self.settings, self.chosen, self.copy_s = settings, chosen, took_s
            self.encoded, self.parts = encoded, parts

    def _encode(self, settings: TrainSettings) -> Encoded:
        return self.fitting.encode(self.validation.fit, self.validation.matrix, settings, self._title("encoder"))

    def _title(self, what: str) -> str:
        best = f", NDCG@10 {self.chosen.ndcg:.4f} so far" if self.chosen.ndcg >= 0 else ""
        return f"Validation, trial {self.ran + 1}: {what}{best}"


def search(
    fitting: Fitting,
    validation: Validation,
    start: TrainSettings,
    *,
    trials: int | None = None,
    budget_s: float | None = None,
) -> Found:
    """The best of the first `trials` trials (the start is the first), or of those that the budget allows.

    With neither, the start alone. Without users to validate on, the start with the ridge in the middle.
    """
    began = time.perf_counter()
    if len(validation.users) < 2:
        ridges = start.linear.ridges
        one = msgspec.structs.replace(start.linear, ridges=(ridges[len(ridges) // 2],))
        return Found(msgspec.structs.replace(start, linear=one), UNCHOSEN, 0)
    run = Search(fitting, validation, start)
    run.start()
    spent = time.perf_counter() - began
    until = None
    if budget_s is not None:
        until = began + budget_s - spent * SLACK * (1 if validation.whole else 2)  # the graph's share, and the last fit
    most = trials if trials is not None else (MOST_TRIALS if budget_s is not None else 1)
    run.longest_s = spent / 2
    cosine = cosine_encoder(len(fitting.snapshot.user_ids), len(fitting.snapshot.item_ids))
    run.run(trial_list(start, cosine, fitting.seed)[: max(most - 1, 0)], until)
    if run.ran > 1:
        run.add_copies()
        run.widen_graph()
    run.weigh_short_histories()
    return run.found()
