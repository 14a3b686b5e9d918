"""clew profile: what is known of a user, the way a person reads it."""

from datetime import datetime

from clew import show
from clew.commands_ask import User, open_recommender
from clew.commands_graph import Json
from domain.answers import Neighbour, Profile, RecentEvent
from domain.ids import clean_id

BAR = 20  # characters of a full bar


def profile(user: User, json: Json = False) -> None:
    """What is known of a user: stated, done, near, and of late."""
    with open_recommender() as recommender:
        known = recommender.profile(clean_id(user, field="user"))
    if json:
        show.as_json(known)
        return
    for line in headline(known):
        show.out.print(show.plain(line))
    if known.entities:
        show.out.print()
        show.table("near to", ("entity", "", "similarity"), [_near(known, one) for one in known.entities])
    if known.recent:
        show.out.print()
        visit = set(known.session)
        rows = [_event(one, in_visit=one.item_id in visit) for one in known.recent]
        show.table("of late, newest first", ("when", "what", "item", "weight", "visit"), rows)
    show.hint(f"next: `clew recommend {user}`")


def headline(known: Profile) -> list[str]:
    """Who this is, in a few lines; what there is nothing to say of is left out."""
    if known.opt_out:
        return [f"{known.user_id} has opted out: nothing is made of what they do", *_static(known)]
    seen = f", last seen {_day(known.last_seen)}" if known.last_seen else ""
    lines = [f"{known.user_id}: {known.segment}, {known.events} events with {known.items} items{seen}", *_static(known)]
    if known.preferences:
        likes = ", ".join(f"{one.name or one.id} ({one.similarity:g})" for one in known.preferences)
        lines.append(f"says they like: {likes}")
    if known.kinds:
        lines.append("did: " + ", ".join(f"{count} x {kind}" for kind, count in known.kinds.items()))
    if known.impressions:
        lines.append(f"shown of late and ignored: {known.impressions} items, which fade")
    return lines


def _static(known: Profile) -> list[str]:
    told = [f"{_words(name)} {_text(value)}" for name, value in known.static.items()]
    return ["is: " + ", ".join(told)] if told else []


def _words(name: str) -> str:
    """A relation's type as a person says it: in_age_band is age band."""
    return name.removeprefix("in_").removeprefix("has_").replace("_", " ")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _near(known: Profile, one: Neighbour) -> tuple[str, str, str]:
    """An entity with a bar as long as it is near, the nearest with a full one."""
    most = known.entities[0].similarity
    label = f" ({one.label})" if one.label else ""
    return f"{one.name or one.id}{label}", "█" * max(1, round(BAR * one.similarity / most)), f"{one.similarity:.2f}"


def _event(one: RecentEvent, *, in_visit: bool) -> tuple[str, ...]:
    what = one.kind if one.value is None else f"{one.kind} {one.value:g}"
    return _day(one.at), what, one.name, f"{one.weight:+.2f}", "now" if in_visit else ""


def _day(at: str) -> str:
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M")
