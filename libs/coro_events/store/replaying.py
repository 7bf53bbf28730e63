"""What a replay takes up: deliveries that were held or failed, and events that never became one.

The API counts with these statements and the dispatcher plans with them, so that a dry run and its replay agree.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import text

MISSED = "missed"
HELD = "held"
FAILED = "failed"
INCLUDES = (MISSED, HELD, FAILED)

# Rows of the webhook that ended before the replay was asked for; what fails again during it is not taken up twice.
_STOPPED = """
    from deliveries d join events e on e.day = d.day and e.id = d.event_id
    where d.webhook_id = :webhook_id and d.day >= :first_day and d.kind = 'event'
        and d.state in ('held', 'failed') and d.state = any (cast(:states as text[]))
        and d.finished_at < :until and e.occurred_at >= :since
"""

# Events that the webhook as it is now would get, and that have no delivery to it, nor to the webhook that it took over
# from or that took over from it for a while: what one of them got, or is going to get, the other did not miss. What was
# held there, or failed for good, it did: nothing is replayed to a webhook that was replaced. A shadow is no delivery.
_MISSED = """
    from events e
    join workspaces k on k.id = e.workspace_id
    where k.path @> array[cast(:workspace_id as text)] and (:descend or k.id = :workspace_id)
        and e.type = any (cast(:triggers as text[])) and e.occurred_at >= :since and e.received_at < :until
        and not exists (
            select from deliveries d where d.day = e.day and d.event_id = e.id and d.kind <> 'shadow'
                and (d.webhook_id = :webhook_id or d.state in ('pending', 'delivered')) and d.webhook_id in (
                    select w.id from webhooks w
                    where w.id = :webhook_id or w.replaced_by = :webhook_id or w.draft_of = :webhook_id
                )
        )
"""


def first_day_of(since: datetime) -> date:
    """Return the first day to look at; an event of a clock that is ahead is filed earlier than it says."""
    return since.date() - timedelta(days=1)


COUNT_STOPPED = text(f"select d.state, count(*) as deliveries {_STOPPED} group by d.state")
COUNT_MISSED = text(f"select count(*) {_MISSED} and e.day >= :first_day")

TAKE_UP_STOPPED = text(
    f"""
    update deliveries t set state = 'pending', due_at = now(), claim = null, leased_until = null, finished_at = null,
        attempts_before = t.attempts, manual = false
    from (select d.day, d.event_id {_STOPPED} limit :batch for update of d skip locked) as s
    where t.webhook_id = :webhook_id and t.day = s.day and t.event_id = s.event_id
    """  # noqa: S608 - made of constants of this file
)

# One day at a time, from the cursor on. The cursor moves even where another replica was faster with an event. Whose
# workspace nobody had announced is placed now, and what a draft only tried out becomes a delivery of its own.
PLAN_MISSED = text(
    f"""
    with found as materialized (
        select e.day, e.id, e.workspace_id, e.occurred_at, e.workspace_path is null as is_homeless,
               k.display_name, k.type, k.path {_MISSED}
            and e.day = :day and (e.occurred_at, e.id) > (:cursor_at, cast(:cursor_id as uuid))
        order by e.occurred_at, e.id limit :batch
    ), homed as (
        update events e set workspace_name = f.display_name, workspace_type = f.type, workspace_path = f.path
        from found f where f.is_homeless and e.day = :day and e.id = f.id
    ), planned as (
        insert into deliveries as d (day, webhook_id, event_id, hook_id, workspace_id, due_at)
        select day, :webhook_id, id, gen_random_uuid(), workspace_id, now() from found
        on conflict (day, webhook_id, event_id) do update
            set kind = 'event', manual = false, state = 'pending', due_at = now(), claim = null, leased_until = null,
                finished_at = null,
                attempts_before = d.attempts
            where d.kind = 'shadow'
        returning event_id
    )
    select f.occurred_at, f.id, (select count(*) from planned) as planned, (select count(*) from found) as found
    from found f order by f.occurred_at desc, f.id desc limit 1
    """  # noqa: S608 - made of constants of this file
)
