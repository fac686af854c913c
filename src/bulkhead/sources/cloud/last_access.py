"""IAM's report of last access: which rights a role has, and when each was used last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bulkhead.clients.cloud.described import Caller
from bulkhead.core.errors import LimitExceeded, SourceError

WINDOW: Final = timedelta(days=90)
"""A right that was not used for so long is not needed."""
_PAGES: Final = 50
_LOOK: Final = 0.5
_PATIENCE: Final = 60.0
_REPORT: Final = "iam:GetServiceLastAccessedDetails"


async def report(client: Caller, arn: str) -> tuple[list[dict[str, Any]], datetime]:
    """All services of a role's report, and when it was made. IAM writes it while we wait; it changes nothing."""
    asked = await client.call("iam", "generate_service_last_accessed_details", Arn=arn, Granularity="ACTION_LEVEL")
    job = str(asked["JobId"])
    page = await _page(client, job)
    end = time.monotonic() + _PATIENCE
    while page.get("JobStatus") == "IN_PROGRESS":
        if time.monotonic() > end:
            raise LimitExceeded(f"IAM's report took longer than {_PATIENCE:g} seconds", where=_REPORT)
        await asyncio.sleep(_LOOK)
        page = await _page(client, job)
    if page.get("JobStatus") != "COMPLETED":
        raise SourceError("IAM could not write its report", where=_REPORT)
    services = list(page.get("ServicesLastAccessed") or ())
    for _ in range(_PAGES):
        if not page.get("IsTruncated"):
            return services, datetime.fromisoformat(str(page["JobCompletionDate"]))
        page = await _page(client, job, Marker=page["Marker"])
        services += page.get("ServicesLastAccessed") or ()
    raise LimitExceeded(f"IAM's report has more than {_PAGES} pages", where=_REPORT)


def rights(service: Mapping[str, Any], since: datetime) -> Iterable[tuple[str, bool]]:
    """A service's rights and whether each was used; where IAM follows no single action, the service as a whole."""
    space = str(service["ServiceNamespace"])
    actions = service.get("TrackedActionsLastAccessed") or ()
    if not actions:
        yield f"{space}:*", _after(service.get("LastAuthenticated"), since)
    for action in actions:
        yield f"{space}:{action['ActionName']}", _after(action.get("LastAccessedTime"), since)


def used(service: Mapping[str, Any], since: datetime) -> bool:
    """Whether anything of a service was."""
    return _after(service.get("LastAuthenticated"), since)


def _after(moment: Any, since: datetime) -> bool:
    return bool(moment) and datetime.fromisoformat(str(moment)) >= since


async def _page(client: Caller, job: str, **more: Any) -> dict[str, Any]:
    return await client.call("iam", "get_service_last_accessed_details", JobId=job, MaxItems=200, **more)
