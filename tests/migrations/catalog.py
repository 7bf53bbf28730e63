"""What a database holds, as PostgreSQL itself tells it, in a form that can be compared."""

from sqlalchemy import text

from coro_events.store.unit import Database

# Daily partitions inherit everything; alembic's own table is not ours.
_OURS = "n.nspname = 'public' and not c.relispartition and c.relname <> 'alembic_version'"

_QUERIES = (
    # Tables, and how they are partitioned.
    (
        f"select c.relname, c.relkind::text, pg_get_partkeydef(c.oid) from pg_class c"  # noqa: S608 - constants
        f" join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm') and {_OURS}"
    ),
    # Columns.
    (
        f"select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,"  # noqa: S608
        f" pg_get_expr(d.adbin, d.adrelid) from pg_attribute a join pg_class c on c.oid = a.attrelid"
        f" join pg_namespace n on n.oid = c.relnamespace"
        f" left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum"
        f" where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p') and {_OURS}"
    ),
    # Constraints.
    (
        f"select c.relname, k.conname, pg_get_constraintdef(k.oid) from pg_constraint k"  # noqa: S608 - constants
        f" join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace where {_OURS}"
    ),
    # Indexes; those of constraints carry their names.
    (
        f"select c.relname, i.relname, pg_get_indexdef(x.indexrelid) from pg_index x"  # noqa: S608 - constants
        f" join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid"
        f" join pg_namespace n on n.oid = c.relnamespace where {_OURS}"
    ),
)


async def catalog(database: Database) -> set[tuple[object, ...]]:
    """Return every table, column, constraint and index."""
    found: set[tuple[object, ...]] = set()
    async with database.read() as connection:
        for query in _QUERIES:
            found.update(tuple(row) for row in await connection.rows(text(query)))
    return found
