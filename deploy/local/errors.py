"""What the local stack says when it cannot go on: one sentence a person can act on."""


class LocalError(Exception):
    """The local stack cannot start or go on; the message is the sentence shown to the user."""
