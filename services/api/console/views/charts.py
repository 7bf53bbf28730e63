"""Small charts as numbers that an SVG is drawn from; colours are the stylesheet's."""

from services.api.pulse.service import Beat

HEIGHT = 28
# From the middle of one bar to that of the next.
STEP = 5
FIRST = 2
_LEAST = 3.0
_NOTHING = 1.5


def paths_of(beat: Beat) -> tuple[tuple[str, str], ...]:
    """Return the path of each tone: a bar an hour, failures standing on successes; an hour of nothing is a line."""
    most = max((hour.delivered + hour.failed for hour in beat.hours), default=0)
    steps: dict[str, list[str]] = {"good": [], "bad": [], "none": []}
    for number, (delivered, failed) in enumerate(beat.hours):
        x = FIRST + number * STEP
        if not delivered + failed:
            steps["none"].append(_bar(x, 0, _NOTHING))
            continue
        good, bad = (_height(count, most) for count in (delivered, failed))
        # The whole stays within the chart where both parts were raised to be seen.
        scale = min(1.0, HEIGHT / (good + bad))
        if good:
            steps["good"].append(_bar(x, 0, good * scale))
        if bad:
            steps["bad"].append(_bar(x, good * scale, bad * scale))
    return tuple((tone, "".join(found)) for tone, found in steps.items() if found)


def _bar(x: int, above: float, height: float) -> str:
    """Return a line that stands so high above the ground; the stylesheet makes it as wide as a bar."""
    return f"M{x} {HEIGHT - above:.3g}v-{height:.3g}"


def _height(count: int, most: int) -> float:
    return max(_LEAST, HEIGHT * count / most) if count else 0.0


def percent(share: float) -> str:
    """Return a share such as `99.9 %`; only all is 100 and only nothing is 0."""
    shown = round(share * 100, 1)
    if shown in {0.0, 100.0} and share not in {0.0, 1.0}:
        shown = 99.9 if share > 0.5 else 0.1  # noqa: PLR2004 - the middle
    return f"{shown:g} %"
