"""The addresses of pages beyond the list of webhooks; those of the list are in paths.py."""

from services.api.console import paths
from services.api.console.visitor import Visitor

ACTIVITY = f"{paths.ROOT}/activity"
ACTIVITY_CSV = f"{ACTIVITY}.csv"
OVERVIEW = f"{paths.ROOT}/overview"
CREDENTIALS = f"{paths.ROOT}/settings/connectors/api-credentials"

ONE = paths.WEBHOOKS + "/{webhook_id}"
DELIVERY = ONE + "/deliveries/{hook_id}"


def delivery(webhook_id: str, hook_id: str, *steps: str) -> str:
    """Return the address of a delivery, or of something about it."""
    return paths.webhook(webhook_id, "deliveries", hook_id, *steps)


def details(visitor: Visitor, webhook_id: str, **query: object) -> str:
    """Return the address of a webhook's details."""
    return visitor.link(paths.webhook(webhook_id), **query)
