"""How the dispatchers of the faults are set, and the limits that follow from it."""

from coro_events.runtime.kafka import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS
from coro_events.runtime.retrying import LONGEST_WAIT_S

PARTITIONS = 6
LEASE_S = 5.0
MAX_IN_FLIGHT = 64
# Attempts under way and those whose outcomes wait to be written.
MOST_UNRECORDED = 2 * MAX_IN_FLIGHT
# Kafka takes the partitions from a silent member after its session; the others learn of it with their next heartbeat.
TAKEOVER_S = (SESSION_TIMEOUT_MS + HEARTBEAT_INTERVAL_MS) / 1000 + 1
# What waits for a server comes back to it after at most this long.
BACK_OFF_S = LONGEST_WAIT_S
# Leases are short, so that the tests are; an attempt must fit in one.
SETTINGS = {
    "CORO_DISPATCHER_DEADLINE_S": "2",
    "CORO_DISPATCHER_LEASE_S": f"{LEASE_S:g}",
    "CORO_DISPATCHER_DRAIN_S": "10",
    "CORO_DISPATCHER_MAX_IN_FLIGHT": f"{MAX_IN_FLIGHT}",
    "CORO_DISPATCHER_MAX_WAITING": "500",
}
