"""What is known of a user, for people to read."""

from collections import Counter

from domain.answers import Neighbour, Profile, RecentEvent
from domain.declarations import OPT_OUT, Declaration
from recommend import texts
from recommend.adapt import weights_of
from recommend.browse import user_entities
from recommend.drafts import iso_time
from recommend.profiles import UserRecord
from recommend.segments import segment_of
from recommend.subject import Subject, known_subject
from recommend.world import View

MOST_RECENT = 20
MOST_ENTITIES = 10


def profile_of(view: View, record: UserRecord) -> Profile:
    """Static features, and features of the user's events: the newest, what they weigh, and the nearest entities."""
    subject = known_subject(view, record)
    weighted = weights_of(view, subject)
    weights = dict(zip(weighted.item_rows.tolist(), weighted.weights.tolist(), strict=True))
    catalogue = view.catalogue
    recent = tuple(
        RecentEvent(
            item_id=catalogue.item_ids[deed.item_row],
            name=catalogue.item_names[deed.item_row],
            kind=deed.kind.name,
            value=deed.value,
            at=iso_time(deed.at),
            weight=weights[deed.item_row],
        )
        for deed in reversed(subject.deeds[-MOST_RECENT:])
    )
    return Profile(
        user_id=record.user_id,
        opt_out=record.is_opted_out,
        static=_static(view, record),
        preferences=_preferences(view, subject),
        events=len(subject.deeds),
        items=len(weights),
        last_seen=iso_time(subject.deeds[-1].at) if subject.deeds else None,
        segment=segment_of(len(weights)),
        kinds=dict(Counter(deed.kind.name for deed in subject.deeds)),
        recent=recent,
        session=tuple(catalogue.item_ids[row] for row in subject.session_rows),
        impressions=len(subject.faded),
        entities=user_entities(view, subject, MOST_ENTITIES),
    )


def _static(view: View, record: UserRecord) -> dict[str, object]:
    """Properties, and the names of static entities by relation type; follows: how many users are followed."""
    hidden = _sensitive(view.declaration)
    static = {name: value for name, value in record.properties.items() if name not in hidden and name != OPT_OUT}
    for end in record.relations:
        row = view.catalogue.entity_rows.get(end.entity_id)
        if row is not None and end.type not in hidden and not view.catalogue.is_sensitive(row):
            static[end.type.lower()] = texts.entity_name(view, row)
    follows = view.followed(record)
    return static | ({"follows": list(follows)} if follows else {})


def _sensitive(declaration: Declaration) -> set[str]:
    properties = {declared.name for declared in declaration.user_properties if declared.sensitive}
    return properties | {relation.type for relation in declaration.relation_types if relation.sensitive}


def _preferences(view: View, subject: Subject) -> tuple[Neighbour, ...]:
    return tuple(
        Neighbour(
            id=view.catalogue.entity_ids[taste.entity_row],
            similarity=taste.weight,
            name=texts.entity_name(view, taste.entity_row),
            label=view.catalogue.label(taste.entity_row),
        )
        for taste in subject.tastes
    )
