"""An explanation in each of the forms that it can be had in: JSON, text, graph files, pictures."""

from collections.abc import Callable
from importlib.util import find_spec

import msgspec

from domain.answers import Explanation, Reason
from domain.errors import InvalidRequest, MissingExtra

DEFAULT = "json"
VISITOR = "a visitor"
MEDIA_TYPES = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "graphml": "application/graphml+xml",
    "node-link": "application/vnd.networkx.node-link+json",
    "svg": "image/svg+xml",
    "png": "image/png",
}


def rendered(explanation: Explanation, name: str) -> bytes:
    """Raises: InvalidRequest for an unknown format; MissingExtra for one whose packages are not installed."""
    if name not in MEDIA_TYPES:
        raise InvalidRequest(f"no format {name!r}; there are {', '.join(MEDIA_TYPES)}", field="format")
    if name == "json":
        return msgspec.json.encode(explanation)
    if name == "text":
        return as_text(explanation).encode()
    return _with_extra(name)(explanation)


def accepted(accept: str) -> str:
    """The format that an Accept header asks for: the first type of ours in it; JSON for browsers and for anything."""
    types = [entry.split(";")[0].strip().lower() for entry in accept.split(",")]
    if "text/html" in types:
        return DEFAULT
    names = {media.split(";")[0]: name for name, media in MEDIA_TYPES.items()}
    return next((names[media] for media in types if media in names), DEFAULT)


def as_text(explanation: Explanation) -> str:
    """Lines for people."""
    place = f"rank {explanation.rank}" if explanation.rank else "not ranked"
    lines = [f"{explanation.name} ({explanation.item_id}) for {explanation.user_id or VISITOR}"]
    lines += [f"score {explanation.score:.3f}, {place}, strategy {explanation.strategy}", ""]
    lines += [f"  {part.name:<12} {part.value:+.4f} {part.share:>7.1%}" for part in explanation.parts]
    lines += ["", *(_told(reason) for reason in explanation.reasons)]
    if explanation.change is not None:
        change = explanation.change
        lines += ["", f"without {', '.join(change.without)}: {change.score_change:+.4f} from {change.score:.3f}"]
    if explanation.counterfactual is not None:
        lines += ["", *counterfactual_lines(explanation)]
    return "\n".join([*lines, ""])


def counterfactual_lines(explanation: Explanation) -> list[str]:
    """What would have to go for the item to leave the list."""
    found = explanation.counterfactual
    if found is None:
        return []
    if not found.found:
        return [f"no set of events takes it out of the first {found.n}: {found.why}"]
    many = "the fewest" if found.is_smallest else "a few"
    lines = [f"out of the first {found.n} without {many} of the user's items ({found.tried} lists made anew):"]
    return lines + [f"  {one.name} ({one.item_id})  {one.amount:+.4f}" for one in found.removed]


def _told(reason: Reason) -> str:
    checked = "" if reason.path is None else "  [in Neo4j]" if reason.path.verified else "  [unchecked]"
    share = "     " if reason.context else f"{reason.share:>4.0%} "
    return f"{share} {reason.text}{checked}"


def _with_extra(name: str) -> Callable[[Explanation], bytes]:
    missing = [package for package in ("networkx", "matplotlib") if find_spec(package) is None]
    if missing:
        raise MissingExtra(f"the format {name} needs {' and '.join(missing)}: pip install 'clew[analyst]'")
    if name in ("svg", "png"):
        from recommend.path_drawing import draw  # an extra, and needed only here

        return lambda explanation: draw(explanation, name)
    from recommend.path_graph import as_graphml, as_node_link

    return as_graphml if name == "graphml" else as_node_link
