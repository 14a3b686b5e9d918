"""What can be set about training, with defaults that held on the demo data. NumPy only."""

import msgspec

FEW_EACH = 20  # items of a user, on average: below, cosines are where training starts
EPOCHS, MOST_STEPS = 7, 400  # of the encoder over all users, where they are many


class LinearSettings(msgspec.Struct, frozen=True, kw_only=True):
    """ridges: λ to choose from, as multiples of the largest entry of the Gram matrix's diagonal; beyond the last of
    several while that is better.

    prior_scale multiplies θ of the graph prior. user_power: users count in the Gram matrix by (Σ w²)^−user_power.
    session: whether pairs of items of one sitting count more (only where R is whole).
    neighbours: entries per item of what is positive, and of R where users are more than most_users: it is sparse then.
    positive: whether half of R is ridge regression's and half has no negative entries (not where R is a product); None:
    to be chosen.
    whole_up_to: items up to which R is kept whole. Above: its rank (less where users and items are very many), how
    many takers an item needs to be in it (10 where few events are lost by that), and how many users, those with the
    most events, shape it.
    """

    ridges: tuple[float, ...] = (0.05, 0.15, 0.4)
    prior_scale: float = 2.0
    user_power: float = 0.25
    session: bool = True
    positive: bool | None = None
    whole_up_to: int = 6_000
    rank: int = 1_024
    least_takers: int = 3
    most_users: int = 8_000
    neighbours: int = 100


class EncoderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """dropout of the user's events in each batch; weight_decay per unit of learning rate (AdamW).

    averaged: the share of the last steps whose weights are averaged. own_dropout: how many items are known by their
    edges only, in each batch. edge_dropout: the share of relation edges left out of each batch.
    entity_share: weight of the loss that has an item find its entities.
    most_targets: items with the most takers that the softmax covers; most_compared: how many of them at a step: where
    there are more, those of its users and random others.
    copies: how many are trained from different starts; the served one is their mean.
    temperature: scores are cosines divided by it; None: inner products. svd_start: begin at a truncated SVD.
    """

    dim: int = 64
    batch_users: int = 256
    steps: int = 240
    learning_rate: float = 0.01
    weight_decay: float = 0.3
    dropout: float = 0.6
    spread: float = 0.02
    averaged: float = 0.5
    own_dropout: float = 0.1
    edge_dropout: float = 0.0
    entity_share: float = 0.1
    copies: int = 1
    most_targets: int = 20_000
    most_compared: int = 20_000
    temperature: float | None = None
    svd_start: bool = False
    svd_gain: float = 1.0


class TrainSettings(msgspec.Struct, frozen=True, kw_only=True):
    """recent_days: the span before the data's newest event whose popularity counts as recent."""

    linear: LinearSettings = LinearSettings()
    encoder: EncoderSettings = EncoderSettings()
    recent_days: float = 28.0
    half_life_days: float | None = None
    most_validation_users: int = 3_000


def cosine_encoder(num_users: int, num_items: int) -> EncoderSettings:
    """The encoder that compares by cosines: where users have few events each, it ranks better (docs/decisions/0012).

    Where users and items are both many it learns longer, over fewer items at a step.
    """
    few = num_items <= LinearSettings().whole_up_to
    batch = min(max(num_users // 8, 64), 1_024)
    encoder = EncoderSettings(
        dim=64 if few else 128,
        batch_users=batch,
        steps=400 if few else 80,
        learning_rate=0.01 if few else 0.005,
        weight_decay=0.1,
        dropout=0.5,
        most_targets=num_items,
        temperature=0.2 if few else 0.1,
        svd_start=not few,
        svd_gain=1.0 if few else 2.0,
    )
    if few or num_users <= LinearSettings().most_users:
        return encoder
    steps = min(EPOCHS * num_users // batch, MOST_STEPS)
    return msgspec.structs.replace(encoder, steps=steps, dropout=0.3, most_compared=4_000)


def settings_for(num_items: int, num_users: int, num_pairs: int) -> TrainSettings:
    """The defaults for data of this shape; num_pairs counts the items of all users.

    Few items (films), of which users had many or few; more items than R can be kept whole for (a shop); or many users
    as well (check-ins).
    """
    few = TrainSettings()
    if num_items <= few.linear.whole_up_to:
        if num_pairs >= FEW_EACH * num_users:
            return few
        return msgspec.structs.replace(few, encoder=cosine_encoder(num_users, num_items))
    many = TrainSettings(
        linear=LinearSettings(ridges=(0.05, 0.1), prior_scale=1.0, user_power=0.0, session=False),
        encoder=EncoderSettings(steps=20, svd_start=True),
    )
    if num_users <= many.linear.most_users:
        return many
    sparse = msgspec.structs.replace(many.linear, ridges=(0.03,), user_power=0.25)
    return msgspec.structs.replace(many, linear=sparse, encoder=cosine_encoder(num_users, num_items))
