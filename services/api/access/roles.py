"""Roles, and what each may do."""

from enum import StrEnum


class Role(StrEnum):
    """What a caller may do in the workspaces it reaches."""

    # Reads.
    VIEWER = "viewer"
    # Changes webhooks.
    ADMINISTRATOR = "administrator"
    # Also manages credentials and users.
    SUPER_ADMIN = "super_admin"
    # An internal service: its own operations, and none of those for people.
    SERVICE = "service"


_LADDER = (Role.VIEWER, Role.ADMINISTRATOR, Role.SUPER_ADMIN)


def allows(held: Role, needed: Role) -> bool:
    """Return whether a role is enough for an operation."""
    if Role.SERVICE in {held, needed}:
        return held is needed
    return _LADDER.index(held) >= _LADDER.index(needed)
