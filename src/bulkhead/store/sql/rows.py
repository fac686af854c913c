"""A finding's row in SQL: which columns, and back into a value."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from bulkhead.app.ports import FindingState, StoredFinding
from bulkhead.core.finding import Waiver, Where
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.resource import Ref

severities: Final = list(Severity)
ref_decoder: Final = msgspec.json.Decoder(Ref)
where_decoder: Final = msgspec.json.Decoder(Where)
_waiver_decoder: Final = msgspec.json.Decoder(Waiver)

COLUMNS: Final = """
tenant, root, fingerprint, control, revision, severity, outcome, title, message, ref, element, place, waiver, state,
first_seen,
CASE WHEN last_seen <> '' THEN last_seen ELSE coalesce((SELECT finished FROM runs WHERE runs.tenant = findings.tenant
  AND runs.root = findings.root ORDER BY id DESC LIMIT 1), first_seen) END,
fixed_at, reopened_count, evidence
"""


def stored(row: tuple[Any, ...]) -> StoredFinding:
    tenant, root, name, control, revision, severity, outcome, title, message, ref, element, where, waiver = row[:13]
    state, first_seen, last_seen, fixed_at, reopened_count, evidence = row[13:]
    return StoredFinding(
        fingerprint=name,
        tenant=tenant,
        root=root,
        control=control,
        revision=revision,
        severity=severities[severity],
        outcome=Outcome(outcome),
        title=title,
        message=message,
        resource=ref_decoder.decode(ref),
        element=element,
        where=where_decoder.decode(where),
        waiver=_waiver_decoder.decode(waiver) if waiver else None,
        state=FindingState(state),
        first_seen=first_seen,
        last_seen=last_seen,
        fixed_at=fixed_at,
        reopened_count=reopened_count,
        evidence=evidence,
    )
