"""The table of workspaces: a tree, each row holding its whole path."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from coro_events.store.base import instant, metadata

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parent_id", Text, ForeignKey("workspaces.id")),
    # Root first, itself last: the ancestors of a workspace in one read, without recursion.
    Column("path", ARRAY(Text), nullable=False),
    Column("type", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="new"),
    # Since when it has that status; null where nobody told.
    Column("status_at", instant()),
    Column("archived_at", instant()),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
    Column("updated_at", instant(), nullable=False, server_default=text("now()")),
    # Who hears by mail of what happens here: nobody, the admins of workspaces above, all of them, or those of this one.
    Column("notifications_level", Text, nullable=False, server_default="all"),
    CheckConstraint("type in ('channel', 'child', 'regular')", name="type"),
    CheckConstraint("notifications_level in ('none', 'parent', 'all', 'localAdmins')", name="notifications_level"),
    CheckConstraint("path[cardinality(path)] = id", name="path_ends_here"),
    Index("ix_workspaces_parent_id", "parent_id"),
    Index("ix_workspaces_path", "path", postgresql_using="gin"),
)
