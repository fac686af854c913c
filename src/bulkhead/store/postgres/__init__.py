"""The store in PostgreSQL (13 and later), for more than one machine: the same SQL as SQLite over psycopg 3."""

from bulkhead.store.postgres.state import open_state

__all__ = ["open_state"]
