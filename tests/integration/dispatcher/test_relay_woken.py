"""The dispatcher's own messages wake the relay of the config service at the commit that leaves them."""

import asyncio

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.api.publish.sql import SqlOutbox
from services.dispatcher.deliver.outcome import Outcome
from tests.integration.dispatcher.room import Room, count_updated
from tests.support.dispatching import make_effect
from tests.support.makers import insert_webhook, insert_workspace

LIMIT_S = 10


async def test_relay_is_woken_when_a_webhook_is_disabled(room: Room) -> None:
    await insert_workspace(room.database, "msp")
    await insert_webhook(room.database, room.vault, workspace_id="msp", triggers=["workspace-status-updated"])
    (delivery,) = await room.plan(count_updated("msp"))
    engine = create_async_engine(room.database._engine.url, poolclass=NullPool)

    async with SqlOutbox(engine).session() as session:
        assert await session.waiting(10) == []
        # 410 ends a delivery at its first attempt.
        assert await room.ledger.record([make_effect(delivery, Outcome.GONE, status=410)])
        async with asyncio.timeout(LIMIT_S):
            await session.rung()
        assert [message.message["type"] for message in await session.waiting(10)] == [
            "delivery-exhausted",
            "webhook-disabled",
        ]
    await engine.dispose()
