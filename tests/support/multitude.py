"""A multitude of webhooks that become due at once."""

import json
import uuid

from sqlalchemy import text

from coro_events.store.unit import Database
from coro_events.store.vault import Vault

CUSTOMERS = 250
WEBHOOKS = 4

_MSPS = text(
    "insert into workspaces (id, path, type, display_name, status)"
    " select 'm' || m, array['m' || m], 'channel', 'MSP ' || m, 'subscription' from generate_series(1, :msps) m"
)
_CUSTOMERS = text(
    "insert into workspaces (id, parent_id, path, type, display_name, status)"
    " select 'm' || m || 'c' || c, 'm' || m, array['m' || m, 'm' || m || 'c' || c], 'child', 'Customer ' || c,"
    " 'subscription' from generate_series(1, :msps) m, generate_series(1, :customers) c"
)
# Every MSP and every customer has one.
_ADMINS = text(
    "insert into users (id, email, workspace_id, role)"
    " select gen_random_uuid(), 'admin@' || id || '.example.com', id, 'administrator' from workspaces"
)
_WEBHOOKS = text(
    "insert into webhooks (id, workspace_id, version, name, url, apply_to_all_descendants, triggers, secret_sealed,"
    " headers_sealed) select id, workspace_id, 1, name, 'https://receiver.example.com/hook', false,"
    " array['workspace-created'], secret, headers from unnest(cast(:ids as uuid[]), cast(:workspaces as text[]),"
    " cast(:names as text[]), cast(:secrets as bytea[]), cast(:headers as bytea[]))"
    " as g (id, workspace_id, name, secret, headers)"
)


async def insert_multitude(database: Database, vault: Vault, *, msps: int) -> tuple[int, int]:
    """Insert MSPs with 250 customers each, an admin for each of both, and four webhooks a customer, sealed one by one.

    Returns:
        How many webhooks there are, and how many workspaces with an admin.
    """
    async with database.write() as connection:
        await connection.execute(_MSPS, {"msps": msps})
        await connection.execute(_CUSTOMERS, {"msps": msps, "customers": CUSTOMERS})
        await connection.execute(_ADMINS)
    for msp in range(1, msps + 1):
        places = [(f"m{msp}c{1 + number // WEBHOOKS}", number) for number in range(CUSTOMERS * WEBHOOKS)]
        ids = [uuid.uuid4() for _ in places]
        header = json.dumps({"Authorization": "Bearer 0123456789"})
        params = {
            "ids": ids,
            "workspaces": [workspace for workspace, _ in places],
            "names": [f"Webhook {number % WEBHOOKS}" for _, number in places],
            "secrets": [vault.seal("0123456789abcdef0123456789abcdef", row=str(one), field="secret") for one in ids],
            "headers": [vault.seal(header, row=str(one), field="headers") for one in ids],
        }
        async with database.write() as connection:
            await connection.execute(_WEBHOOKS, params)
    async with database.autocommit() as connection:
        await connection.execute(text("analyze webhooks, workspaces, users"))
    return msps * CUSTOMERS * WEBHOOKS, msps * (CUSTOMERS + 1)
