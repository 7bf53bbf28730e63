"""The advisory locks of this product, so that no two purposes share a number."""

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """What a lock is for. The numbers are ours by convention: any constants that nothing else in the database uses."""

    # One migrating process at a time.
    MIGRATION = 7_046_029_254
    # Growing or moving the tree of workspaces: two at once would each miss the other's rows.
    TREE = 7_046_029_255
    # Making and dropping partitions.
    PARTITIONS = 7_046_029_256
    # One outbox relay at a time over all replicas of the API.
    RELAY = 7_046_029_257
    # One scheduler at work.
    LEADER = 7_046_029_258
