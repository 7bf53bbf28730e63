"""The embedded Kafka keeps what it was given and makes no topic by itself."""

from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from deploy.local.broker import EmbeddedKafka
from deploy.local.errors import LocalError
from deploy.local.ports import free_port

LIMIT_S = 30


def test_a_record_is_there_when_the_broker_starts_again(tmp_path: Path) -> None:
    first = EmbeddedKafka(tmp_path, free_port(), free_port(), brief=True)
    first.start()
    try:
        admin = AdminClient({"bootstrap.servers": first.bootstrap})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(LIMIT_S)
        producer = Producer({"bootstrap.servers": first.bootstrap})
        producer.produce("kept", b"a record")
        assert producer.flush(LIMIT_S) == 0
    finally:
        first.stop()
    second = EmbeddedKafka(tmp_path, free_port(), free_port(), brief=True)
    second.start()
    try:
        consumer = Consumer(
            {"bootstrap.servers": second.bootstrap, "group.id": "trial", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe(["kept"])
        record = consumer.poll(LIMIT_S)
        consumer.close()
        assert record is not None
        assert record.value() == b"a record"
    finally:
        second.stop()


def test_a_topic_is_refused_when_nobody_made_it(kafka_bootstrap: str) -> None:
    consumer = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": "trial", "allow.auto.create.topics": True})
    consumer.subscribe(["nobody.made.this"])
    record = consumer.poll(LIMIT_S)
    consumer.close()
    assert record is not None
    error = record.error()
    assert error is not None
    with pytest.raises(KafkaException):
        raise KafkaException(error)


def test_the_reason_is_told_when_the_port_is_taken(tmp_path: Path, kafka_bootstrap: str) -> None:
    taken = int(kafka_bootstrap.rpartition(":")[2])
    broker = EmbeddedKafka(tmp_path, taken, free_port(), brief=True)
    try:
        with pytest.raises(LocalError, match="Kafka ended unexpectedly"):
            broker.start()
    finally:
        broker.stop()


def test_the_jar_is_named_when_one_is_missing(tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.mkdir()
    broker = EmbeddedKafka(tmp_path, free_port(), free_port(), jars_dir=jars)
    with pytest.raises(LocalError, match=r"\.jar is missing"):
        broker.launch()
