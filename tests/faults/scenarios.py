"""The scenarios by name, as in the tables of docs/reliability.md."""

from enum import StrEnum


class Scenario(StrEnum):
    """A line of the table."""

    CLOCK_AHEAD = "one clock an hour ahead"
    SIGTERM = "SIGTERM under load, then the next"
    SIGTERM_BOTH_AWAY = "SIGTERM while both are away"
    KILLED_CLAIMS = "kill -9, one of two: what was due or held"
    KILLED_PARTITIONS = "kill -9, one of two: its partitions"
    KILLED_ALONE = "kill -9 and start of the only one: what was due or held"
    KILLED_ALONE_PARTITIONS = "kill -9 and start of the only one: its partitions"
    PAUSED = "SIGSTOP for longer than the lease"
    POISON = "a tenth of the records unreadable"
    REBALANCES = "rebalances in a row"
    SICK_RECEIVERS = "receivers that hang, drip and reset"
    REPLICAS = "replicas join and leave, 1 to 3 to 1"
    DATABASE_AWAY = "PostgreSQL away"
    DATABASE_LONG_AWAY = "PostgreSQL away, longer than a lease"
    KAFKA_AWAY = "Kafka away"
    BOTH_AWAY = "both away"
