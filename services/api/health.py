"""What /healthz and /readyz of the config service ask."""

from collections.abc import Mapping

from coro_events.errors import SchemaBehindError, StoreUnavailableError
from coro_events.migrate import require_current_schema
from coro_events.store.unit import Database
from services.api.publish.relay import Relay


class Health:
    """Progress and dependencies."""

    def __init__(self, *, database: Database, relay: Relay) -> None:
        self._database = database
        self._relay = relay

    async def healthy(self) -> Mapping[str, str]:
        """Return what a restart would mend: a relay that makes no steps. Kafka being away is not of that kind."""
        silence = self._relay.silence()
        return {"relay": silence} if silence else {}

    async def ready(self) -> Mapping[str, str]:
        """Return what keeps this replica from serving: the database, its schema, a relay without steps.

        A relay that waits for Kafka keeps nobody away: the outbox holds what it has to say.
        """
        problems: dict[str, str] = dict(await self.healthy())
        try:
            await require_current_schema(self._database)
        except SchemaBehindError as error:
            problems["schema"] = error.detail
        except StoreUnavailableError as error:
            problems["database"] = str(error)
        return problems
