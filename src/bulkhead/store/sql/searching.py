"""Questions about many findings and about the last run of every root."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from bulkhead.app.ports import Found, LastRun, Query
from bulkhead.core.finding import Where
from bulkhead.core.resource import Gap, Ref
from bulkhead.store.sql.database import Database
from bulkhead.store.sql.rows import COLUMNS, stored

_LAST_RUNS: Final = """
SELECT tenant, root, started, finished, profile, score, resources, gaps, unread, open FROM runs
WHERE id IN (SELECT max(id) FROM runs WHERE tenant = ? GROUP BY root) ORDER BY id DESC LIMIT ?
"""
_gaps_decoder: Final = msgspec.json.Decoder(tuple[Gap, ...])
_counts_decoder: Final = msgspec.json.Decoder(dict[str, int])


def search(database: Database, query: Query) -> Found:
    """One page, and the number of all."""
    where, values = _condition(query)
    # No transaction: who only looks does not hold up who writes.
    total = database.rows(f"SELECT count(*) FROM findings WHERE {where}", values)[0][0]  # noqa: S608 (marks only)
    rows = database.rows(
        f"SELECT {COLUMNS} FROM findings WHERE {where} ORDER BY severity DESC, fingerprint, root LIMIT ? OFFSET ?",  # noqa: S608 (marks only)
        (*values, max(query.limit, 0), max(query.offset, 0)),
    )
    return Found(total=total, findings=tuple(stored(row) for row in rows))


def last_runs(database: Database, tenant: str, limit: int) -> tuple[LastRun, ...]:
    return tuple(
        LastRun(
            tenant=row[0],
            root=row[1],
            started=row[2],
            finished=row[3],
            profile=row[4],
            score=row[5],
            resources=row[6],
            gaps=row[7],
            unread=_gaps_decoder.decode(row[8]),
            open=_counts_decoder.decode(row[9]),
        )
        for row in database.rows(_LAST_RUNS, (tenant, limit))
    )


def _condition(query: Query) -> tuple[str, tuple[Any, ...]]:
    parts, values = ["tenant = ?"], [query.tenant]
    if query.root is not None:
        parts.append("root = ?")
        values.append(query.root)
    if query.fingerprint:
        parts.append("fingerprint = ?")
        values.append(query.fingerprint)
    for column, chosen in (
        ("state", [str(state) for state in query.states]),
        ("severity", [severity.rank for severity in query.severities]),
        ("outcome", [str(outcome) for outcome in query.outcomes]),
        ("control", list(query.controls)),
    ):
        if chosen:
            parts.append(f"{column} IN ({','.join('?' * len(chosen))})")
            values += chosen  # type: ignore[arg-type]  # texts and numbers
    if query.text:
        parts.append(f"lower({_SEARCHED}) LIKE ? ESCAPE '!'")
        values.append(_pattern(query.text))
    return " AND ".join(parts), tuple(values)


def _pattern(text: str) -> str:
    """What a person types has no wildcards. Only ASCII is folded: databases differ in the rest."""
    folded = "".join(char.lower() if char.isascii() else char for char in text)
    for mark in "!%_":
        folded = folded.replace(mark, "!" + mark)
    return f"%{folded}%"


def _bare(column: str, kind: type[msgspec.Struct]) -> str:
    """A column of JSON without its keys: they would match in every row."""
    for field in msgspec.structs.fields(kind):
        column = f"replace({column}, '\"{field.name}\":', ' ')"
    return column


_SEARCHED: Final = " || ' ' || ".join(
    ("message", "title", "control", "element", _bare("ref", Ref), _bare("place", Where))
)
