"""The rule function and the dispatcher's SQL agree on which webhook wants which event."""

import itertools
import uuid
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coro_events.contract.triggers import Trigger
from coro_events.rules.matching import Occurrence, Wish, wants
from coro_events.rules.webhooks import WebhookState
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.dispatcher.intake.sql import SqlFence, SqlTree
from services.dispatcher.match.sql import SqlPlanner
from services.dispatcher.match.targets import Targets
from tests.support.clock import FakeClock
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import insert_webhook, insert_workspace, make_event

# Drafts need an original and are asked for apart.
STATES = (WebhookState.ENABLED, WebhookState.DISABLED, WebhookState.EXPIRED)
TRIGGERS = (Trigger.WORKSPACE_CREATED, Trigger.SUBSCRIPTION_UPDATED, Trigger.PROTECTED_USERS_ADDED)


@dataclass(frozen=True)
class Hook:
    """A webhook of a made-up tree; `place` is the number of its workspace."""

    place: int
    state: WebhookState = WebhookState.ENABLED
    descends: bool = False
    triggers: frozenset[Trigger] = frozenset({Trigger.WORKSPACE_CREATED})


@dataclass(frozen=True)
class Forest:
    """Workspaces by number, each with the number of its parent, webhooks in them, and events in them.

    The workspace of an event may be one that nobody has announced: the number after the last.
    """

    parents: tuple[int | None, ...]
    hooks: tuple[Hook, ...]
    events: tuple[tuple[int, Trigger], ...]

    def path(self, place: int) -> list[int] | None:
        """Return the numbers from the root down to a workspace; none where it is not there."""
        if place >= len(self.parents):
            return None
        parent = self.parents[place]
        above = [] if parent is None else self.path(parent) or []
        return [*above, place]

    def expected(self) -> set[tuple[int, int]]:
        """Return the numbers of webhook and event of all deliveries, by the rule function."""
        return {
            (one, two)
            for (one, hook), (two, (place, trigger)) in itertools.product(enumerate(self.hooks), enumerate(self.events))
            if wants(_wish(hook), _occurrence(place, trigger, self.path(place)))
        }


def _wish(hook: Hook) -> Wish:
    return Wish(str(hook.place), hook.state, {trigger.value for trigger in hook.triggers}, hook.descends)


def _occurrence(place: int, trigger: Trigger, path: list[int] | None) -> Occurrence:
    return Occurrence(trigger.value, str(place), None if path is None else [str(number) for number in path])


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    """Make a forest of up to six workspaces, any webhooks in it and any events."""
    count = draw(st.integers(1, 6))
    parents = tuple(draw(st.none() | st.integers(0, place - 1)) if place else None for place in range(count))
    hook = st.builds(
        Hook,
        place=st.integers(0, count - 1),
        state=st.sampled_from(STATES),
        descends=st.booleans(),
        triggers=st.frozensets(st.sampled_from(TRIGGERS), min_size=1),
    )
    event = st.tuples(st.integers(0, count), st.sampled_from(TRIGGERS))
    return Forest(
        parents, tuple(draw(st.lists(hook, max_size=6))), tuple(draw(st.lists(event, min_size=1, max_size=6)))
    )


@pytest.fixture
def planner(database: Database, vault: Vault, clock: FakeClock) -> SqlPlanner:
    """Return the dispatcher's planner on a real database."""
    return SqlPlanner(
        database=database, fence=SqlFence(), tree=SqlTree(), targets=Targets(vault), clock=clock, lease_s=30
    )


async def planned(planner: SqlPlanner, database: Database, vault: Vault, forest: Forest) -> set[tuple[int, int]]:
    """Return the numbers of webhook and event of all deliveries, by the dispatcher's SQL."""
    # Trees of earlier examples stay in the database and must not matter.
    prefix = uuid.uuid4().hex[:12]
    for place, parent in enumerate(forest.parents):
        above = None if parent is None else f"{prefix}-{parent}"
        await insert_workspace(database, f"{prefix}-{place}", parent=above)
    hooks = {}
    for number, hook in enumerate(forest.hooks):
        stored = await insert_webhook(
            database,
            vault,
            workspace_id=f"{prefix}-{hook.place}",
            state=hook.state.value,
            apply_to_all_descendants=hook.descends,
            triggers=[trigger.value for trigger in hook.triggers],
        )
        hooks[stored.id] = number
    events = [
        make_event(workspace_id=f"{prefix}-{place}", trigger=trigger, data=b"{}") for place, trigger in forest.events
    ]
    plan = await planner.plan(decoded_of(*events), at_most(1_000))
    numbers = {event.id: number for number, event in enumerate(events)}
    return {(hooks[one.target.webhook_id], numbers[one.happening.event_id]) for one in plan.claimed}


CHAIN: tuple[int | None, ...] = (None, 0, 1, 0, None)
CREATED = Trigger.WORKSPACE_CREATED


async def test_rule_and_sql_agree_on_every_place_in_the_tree(
    planner: SqlPlanner, database: Database, vault: Vault
) -> None:
    triggers = (frozenset({CREATED}), frozenset({Trigger.SUBSCRIPTION_UPDATED}), frozenset(TRIGGERS))
    hooks = tuple(itertools.starmap(Hook, itertools.product(range(5), STATES, (False, True), triggers)))
    forest = Forest(CHAIN, hooks, tuple(itertools.product(range(6), TRIGGERS)))

    assert await planned(planner, database, vault, forest) == forest.expected()


async def test_table_holds_cases_that_match_and_cases_that_do_not() -> None:
    hook = Hook(1, descends=True)
    forest = Forest(CHAIN, (hook, Hook(1)), tuple((place, CREATED) for place in range(6)))

    assert forest.expected() == {(0, 1), (0, 2), (1, 1)}


async def test_draft_is_wanted_by_neither(planner: SqlPlanner, database: Database, vault: Vault) -> None:
    await insert_workspace(database, "acme")
    original = await insert_webhook(database, vault, state="disabled")
    await insert_webhook(database, vault, state="draft", draft_of=original.id)

    plan = await planner.plan(decoded_of(make_event()), at_most(1_000))

    assert plan.claimed == []
    draft = Hook(0, WebhookState.DRAFT)
    assert Forest((None,), (draft,), ((0, CREATED),)).expected() == set()


@pytest.mark.parametrize("shadow_url", [None, "http://127.0.0.1:9/shadow"])
@pytest.mark.parametrize("state", STATES)
async def test_draft_is_wanted_by_both_when_it_is_tried_out_beside_an_original_that_delivers(
    planner: SqlPlanner, database: Database, vault: Vault, state: WebhookState, shadow_url: str | None
) -> None:
    await insert_workspace(database, "acme")
    original = await insert_webhook(database, vault, state=state.value)
    draft = await insert_webhook(database, vault, state="draft", draft_of=original.id, shadow_url=shadow_url)

    plan = await planner.plan(decoded_of(make_event()), at_most(1_000))

    is_tried_out = shadow_url is not None and state is WebhookState.ENABLED
    wish = Wish("acme", WebhookState.DRAFT, {CREATED.value}, apply_to_all_descendants=False, is_tried_out=is_tried_out)
    is_planned = draft.id in {one.target.webhook_id for one in plan.claimed}
    assert is_planned == wants(wish, Occurrence(CREATED.value, "acme", ["acme"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(forest=forests())
async def test_rule_and_sql_agree_on_any_tree(
    planner: SqlPlanner, database: Database, vault: Vault, forest: Forest
) -> None:
    assert await planned(planner, database, vault, forest) == forest.expected()
