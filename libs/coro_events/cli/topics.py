"""`coro topics`: the Kafka topics."""

import asyncio
from typing import Annotated

import typer

from coro_events.cli.kafka import create_topics
from coro_events.cli.places import kafka_bootstrap, topic
from coro_events.cli.told import answer, new_group, say
from coro_events.contract.topics import DEFAULT_PARTITIONS, TOPICS

app = new_group("The Kafka topics.")


@app.callback()
def _topics() -> None:
    """Keep the name of the group before its only command."""


@app.command()
def create(
    *,
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Partitions of a new topic.")] = DEFAULT_PARTITIONS,
    replication_factor: Annotated[
        int | None, typer.Option(min=1, max=9, help="Copies of each partition; three, or one a broker, if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Create the topics that are missing; existing ones are left as they are."""
    names = [topic(name) for name in TOPICS]
    created = asyncio.run(
        create_topics(kafka_bootstrap(), partitions=partitions, replication_factor=replication_factor, names=names)
    )
    if as_json:
        answer({"created": created, "topics": names})
        return
    for name in names:
        say(f"{name} {'created' if name in created else 'was there'}")
