"""How active a user is, in four steps."""

STEPS = ((0, "new"), (5, "beginner"), (50, "regular"))  # at most so many items; above: "heavy"
SEGMENTS = (*(name for _, name in STEPS), "heavy")


def segment_of(items: int) -> str:
    """new: no item yet; beginner: up to 5; regular: up to 50; heavy: more."""
    return next((name for most, name in STEPS if items <= most), SEGMENTS[-1])
