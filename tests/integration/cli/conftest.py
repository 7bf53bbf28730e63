"""The command line, told where the servers of the run are."""

import pytest

from tests.support.kafka import Topics


@pytest.fixture
def with_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let commands find a fresh, migrated database; return its address."""
    monkeypatch.setenv("CORO_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def with_kafka(kafka_bootstrap: str, topics: Topics, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let commands find Kafka and the topics of this test; return the broker."""
    monkeypatch.setenv("CORO_KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap)
    monkeypatch.setenv("CORO_KAFKA_TOPIC_PREFIX", f"{topics.prefix}.")
    return kafka_bootstrap
