"""What is shown of replays: how far each has come, and what a new one would send."""

from dataclasses import dataclass

from services.api.console import paths
from services.api.console.texts import details as words
from services.api.console.views.clock import iso, minute
from services.api.console.views.webhooks import Tone
from services.api.console.visitor import Visitor
from services.api.deliveries.schemas import ReplayCounts, ReplayView


@dataclass(frozen=True, slots=True)
class ReplayPart:
    """A replay.

    Attributes:
        follows: Where to look again; empty when it is over.
        cancel: Where to cancel it; empty where that cannot be.
    """

    id: str
    state: Tone
    told: str
    since: str
    at: str
    iso: str
    replayed: int
    expected: int
    reason: str
    follows: str
    address: str
    cancel: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What a replay would send."""

    total: int
    title: str
    parts: str
    start: str


def replay_of(view: ReplayView, visitor: Visitor, *, webhook_id: str) -> ReplayPart:
    """Return how far a replay has come."""
    is_running = view.state == "running"
    address = paths.webhook(webhook_id, "replays", view.id)
    # New events of the same time may make it more than was expected.
    expected = max(view.expected, view.replayed)
    return ReplayPart(
        id=view.id,
        state=Tone(*words.REPLAY_STATES[view.state]),
        told=words.PROGRESS.format(replayed=f"{view.replayed:,}", expected=f"{expected:,}"),
        since=words.SINCE_THEN.format(since=minute(view.since)),
        at=minute(view.created),
        iso=iso(view.created),
        replayed=view.replayed,
        expected=max(1, expected),
        reason=view.reason or "",
        follows=visitor.link(address, part=1) if is_running else "",
        address=visitor.link(paths.webhook(webhook_id, "replay")),
        cancel=visitor.link(f"{address}/cancel") if is_running and visitor.may_change else "",
    )


def counted_of(counts: ReplayCounts) -> Counted:
    """Return what a replay would send, in words."""
    total = counts.missed + counts.held + counts.failed
    title = words.COUNTED_ONE if total == 1 else words.COUNTED.format(total=f"{total:,}")
    return Counted(
        total=total,
        title=title if total else words.COUNTED_NONE,
        parts=words.COUNT_PARTS.format(
            missed=f"{counts.missed:,}", held=f"{counts.held:,}", failed=f"{counts.failed:,}"
        ),
        start=words.START.format(total=f"{total:,}"),
    )
