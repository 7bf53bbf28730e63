"""Small charts as numbers that an SVG is drawn from; colours are the stylesheet's."""

from collections.abc import Iterator
from typing import NamedTuple

from services.api.pulse.service import Beat

HEIGHT = 28
# Of one bar and of the gap after it.
STEP = 5
BAR = 3.6
_LEAST = 3.0


class Bar(NamedTuple):
    """A rectangle; `tone` is good, bad or none."""

    x: float
    y: float
    height: float
    tone: str


def bars(beat: Beat) -> tuple[Bar, ...]:
    """Return a bar an hour: failures stand on successes, and nothing is a line."""
    most = max((hour.delivered + hour.failed for hour in beat.hours), default=0)
    return tuple(bar for number, hour in enumerate(beat.hours) for bar in _hour(number * STEP, *hour, most=most))


def _hour(x: float, delivered: int, failed: int, *, most: int) -> Iterator[Bar]:
    if not delivered + failed:
        yield Bar(x, HEIGHT - 1.5, 1.5, "none")
        return
    good, bad = (_height(count, most) for count in (delivered, failed))
    # The whole stays within the chart where both parts were raised to be seen.
    scale = min(1.0, HEIGHT / (good + bad))
    good, bad = good * scale, bad * scale
    if good:
        yield Bar(x, round(HEIGHT - good, 1), round(good, 1), "good")
    if bad:
        yield Bar(x, round(HEIGHT - good - bad, 1), round(bad, 1), "bad")


def _height(count: int, most: int) -> float:
    return max(_LEAST, HEIGHT * count / most) if count else 0.0


def percent(share: float) -> str:
    """Return a share such as `99.9 %`; only all is 100 and only nothing is 0."""
    shown = round(share * 100, 1)
    if shown in {0.0, 100.0} and share not in {0.0, 1.0}:
        shown = 99.9 if share > 0.5 else 0.1  # noqa: PLR2004 - the middle
    return f"{shown:g} %"
