"""A webhook of version 1 and its draft of version 2, as they are published, taken back and left to expire."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from coro_events.contract.triggers import Trigger
from tests.integration.dispatcher.room import Room
from tests.support.makers import insert_webhook

STATUS = Trigger.WORKSPACE_STATUS_UPDATED.value
MAIN_URL = "http://127.0.0.1:9/main"
SHADOW_URL = "http://127.0.0.1:9/shadow"

# In one transaction each, as the API does it.
_PUBLISH = (
    "update webhooks set state = 'enabled', draft_of = null, shadow_url = null where id = :draft",
    "update webhooks set state = 'disabled', disabled_reason = 'replaced', replaced_by = :draft where id = :original",
)
_SWITCH_BACK = (
    "update webhooks set state = 'draft', draft_of = :original where id = :draft",
    "update webhooks set state = 'enabled', disabled_reason = null, replaced_by = null where id = :original",
)


@dataclass(frozen=True)
class Versions:
    """One webhook in two versions."""

    room: Room
    original: UUID
    draft: UUID

    async def publish(self) -> None:
        """Let the draft take over."""
        await self._run(*_PUBLISH)

    async def switch_back(self) -> None:
        """Let the original take over again."""
        await self._run(*_SWITCH_BACK)

    async def shadow(self, url: str | None = SHADOW_URL) -> None:
        """Try the draft out at a second URL, or no more."""
        await self.room.change("update webhooks set shadow_url = :url where id = :id", url=url, id=self.draft)

    async def set_state(self, webhook_id: UUID, state: str) -> None:
        """Change the state of one of them."""
        await self.room.change("update webhooks set state = :state where id = :id", state=state, id=webhook_id)

    async def states(self) -> tuple[str, str]:
        """Return the states of the original and of the draft."""
        rows = {row.id: row.state for row in await self.room.all("select id, state from webhooks")}
        return rows[self.original], rows[self.draft]

    async def deliveries(self, webhook_id: UUID) -> list[tuple[str, str]]:
        """Return kind and state of a webhook's deliveries."""
        rows = await self.room.all(
            "select kind, state from deliveries where webhook_id = :id order by 1, 2", id=webhook_id
        )
        return [(row.kind, row.state) for row in rows]

    async def _run(self, *statements: str) -> None:
        async with self.room.database.write() as connection:
            for statement in statements:
                names = {"draft": self.draft, "original": self.original}
                used = {name: value for name, value in names.items() if f":{name}" in statement}
                await connection.execute(text(statement), used)


async def make_versions(room: Room) -> Versions:
    """Make an enabled webhook of `acme`, which must be there already, and its draft."""
    wants = {"triggers": [STATUS], "apply_to_all_descendants": True, "url": MAIN_URL}
    original = await insert_webhook(room.database, room.vault, **wants)
    draft = await insert_webhook(room.database, room.vault, **wants, version=2, state="draft", draft_of=original.id)
    return Versions(room, original.id, draft.id)
