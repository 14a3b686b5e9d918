"""What is known of a user, beside their list."""

from collections.abc import Sequence
from html import escape

from console.parts import card, facts, html
from domain.answers import Neighbour, Profile, RecentEvent

MOST_RECENT = 8
MOST_NEAR = 6


def show_profile(profile: Profile) -> None:
    with card(profile.user_id):
        if profile.opt_out:
            html('<p class="quiet">This user opted out: nothing is made of what they do.</p>')
        facts(_facts(profile))
    if profile.entities or profile.preferences:
        with card():
            _near("Says they like", profile.preferences)
            _near("Nearest to their taste", profile.entities)
    if profile.recent:
        with card():
            html('<p class="over">Newest events</p>')
            html(f'<div class="lines">{"".join(_event(event) for event in profile.recent[:MOST_RECENT])}</div>')


def _facts(profile: Profile) -> dict[str, object]:
    known = {
        "Segment": profile.segment,
        "Events": f"{profile.events:,} on {profile.items:,} items",
        "Last seen": (profile.last_seen or "never")[:10],
    }
    return {**known, **{_words(name): _value(value) for name, value in profile.static.items()}}


def _words(name: str) -> str:
    """in_age_band is "Age band"."""
    return name.lower().removeprefix("in_").removeprefix("has_").replace("_", " ").capitalize()


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)  # pyright: ignore[reportUnknownArgumentType]


def _near(title: str, near: Sequence[Neighbour]) -> None:
    if near:
        rows = "".join(
            f'<div title="{escape(one.id)}"><span>{escape(one.name or one.id)}</span></div>' for one in near[:MOST_NEAR]
        )
        html(f'<p class="over">{title}</p><div class="lines">{rows}</div>')


def _event(event: RecentEvent) -> str:
    value = f" {event.value:g}" if event.value is not None else ""
    what = f'<span class="quiet">{escape(event.kind)}{value}</span>'
    return f'<div title="{escape(event.at)}"><span>{escape(event.name)}</span>{what}</div>'
