"""Larger charts of a webhook's hours, as the paths that an SVG draws; colours are the stylesheet's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.api.console.texts import details as words
from services.api.console.views.charts import percent
from services.api.console.views.clock import minute, span_of
from services.api.history.schemas import HourView, StatisticsView

WIDTH = 720
HEIGHT = 96
# Of an hour's place, what its bar takes.
_BAR = 0.72
# What is not nothing is seen.
_LEAST = 2.0


@dataclass(frozen=True, slots=True)
class HourRow:
    """The figures of one hour, for the table beside the chart."""

    hour: str
    delivered: str
    failed: str
    p50: str
    p95: str


@dataclass(frozen=True, slots=True)
class Figures:
    """How a webhook does.

    Attributes:
        bars: Paths by tone: `good`, `bad` and `none`.
        p50_line: Path; empty where nobody answered.
        most: The highest number of deliveries within an hour.
        slowest: The highest of the drawn durations.
    """

    success: str
    p50: str
    p95: str
    deliveries: str
    bars: tuple[tuple[str, str], ...]
    volume_label: str
    most: str
    p50_line: str
    p95_line: str
    times_label: str
    slowest: str
    since: str
    until: str
    hours: tuple[HourRow, ...]
    incomplete: str


def figures_of(view: StatisticsView) -> Figures:
    """Return what the charts and the numbers beside them show."""
    most = max((hour.delivered + hour.failed for hour in view.hours), default=0)
    slowest = max((hour.p95_ms or 0 for hour in view.hours), default=0)
    since = minute(view.since)
    return Figures(
        success=words.NO_FIGURE if view.success_rate is None else percent(view.success_rate),
        p50=duration(view.p50_ms),
        p95=duration(view.p95_ms),
        deliveries=f"{view.deliveries:,}",
        bars=_bars(view.hours, most),
        volume_label=words.VOLUME_LABEL.format(
            delivered=f"{view.delivered:,}", failed=f"{view.failed:,}", since=since, most=f"{most:,}"
        ),
        most=f"{most:,}",
        p50_line=_line([hour.p50_ms for hour in view.hours], slowest),
        p95_line=_line([hour.p95_ms for hour in view.hours], slowest),
        times_label=words.TIMES_LABEL.format(p50=duration(view.p50_ms), p95=duration(view.p95_ms))
        if view.attempts
        else words.NO_TIMES,
        slowest=duration(slowest),
        since=since,
        until=minute(view.until),
        hours=tuple(_row(hour) for hour in reversed(view.hours) if hour.deliveries),
        incomplete="" if view.complete else words.INCOMPLETE.format(since=since),
    )


def duration(milliseconds: int | None) -> str:
    """Return a duration such as `312 ms` or `4.1 s`."""
    return words.NO_FIGURE if milliseconds is None else span_of(milliseconds)


def _row(hour: HourView) -> HourRow:
    return HourRow(
        hour=minute(hour.hour),
        delivered=f"{hour.delivered:,}",
        failed=f"{hour.failed:,}",
        p50=duration(hour.p50_ms),
        p95=duration(hour.p95_ms),
    )


def _bars(hours: Sequence[HourView], most: int) -> tuple[tuple[str, str], ...]:
    """Return a bar an hour: failures stand on successes, and nothing is a short line."""
    paths: dict[str, list[str]] = {"none": [], "good": [], "bad": []}
    step = WIDTH / max(1, len(hours))
    for number, hour in enumerate(hours):
        for tone, bottom, height in _parts(hour, most):
            x, width = number * step, step * _BAR
            paths[tone].append(f"M{x:.1f} {HEIGHT - bottom:.1f}h{width:.1f}v{-height:.1f}h{-width:.1f}z")
    return tuple((tone, "".join(path)) for tone, path in paths.items())


def _parts(hour: HourView, most: int) -> Iterator[tuple[str, float, float]]:
    if not hour.delivered + hour.failed:
        yield "none", 0.0, 1.5
        return
    good = max(_LEAST, HEIGHT * hour.delivered / most) if hour.delivered else 0.0
    bad = max(_LEAST, HEIGHT * hour.failed / most) if hour.failed else 0.0
    scale = min(1.0, HEIGHT / (good + bad))
    if good:
        yield "good", 0.0, good * scale
    if bad:
        yield "bad", good * scale, bad * scale


def _line(values: Sequence[int | None], most: int) -> str:
    """Return a line over the hours in which there were answers; it breaks where there were none."""
    step = WIDTH / max(1, len(values))
    path, before = [], None
    for number, (value, after) in enumerate(zip(values, [*values[1:], None], strict=True)):
        if value is not None:
            x, y = (number + _BAR / 2) * step, HEIGHT - 4 - (HEIGHT - 8) * value / max(1, most)
            if before is None and after is None:
                # Alone, it is as wide as its bar.
                path.append(f"M{number * step:.1f} {y:.1f}h{step * _BAR:.1f}")
            else:
                path.append(f"{'M' if before is None else 'L'}{x:.1f} {y:.1f}")
        before = value
    return "".join(path)
