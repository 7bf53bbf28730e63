"""What a chore would do, for those who only ask."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing that a chore would do.

    Attributes:
        action: Such as `expire`.
        subject: Id or name of what it would be done to; empty where `count` things are meant as a whole.
        workspace_id: Where that is; empty where it belongs to none.
        detail: What a person should know beside it.
        count: To how many things.
    """

    action: str
    subject: str = ""
    workspace_id: str = ""
    detail: str = ""
    count: int = 1
