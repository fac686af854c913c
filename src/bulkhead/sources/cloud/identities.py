"""Identities that containers work under: what they may do, and what of it they did, as IAM's report of last access tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bulkhead.clients.cloud.described import Described
from bulkhead.core.errors import LimitExceeded, SourceError
from bulkhead.core.resource import UNKNOWN
from bulkhead.sources.cloud.account import Account

_KIND: Final = "WorkloadIdentity"
_WINDOW: Final = timedelta(days=90)
"""A right that was not used for so long is not needed."""
_PAGES: Final = 50
_LOOK: Final = 0.5
_PATIENCE: Final = 60.0
_REPORT: Final = "iam:GetServiceLastAccessedDetails"


async def read(account: Account, users: Mapping[str, Iterable[str]], made_at: Mapping[str, str]) -> None:
    """Each role that containers use into the account.

    Args:
        account: where they go.
        users: by the role's name for AWS (ARN), who works under it.
        made_at: when each role was made, by the same name.
    """
    await asyncio.gather(
        *(_identity(account, arn, sorted(set(by)), made_at.get(arn, "")) for arn, by in sorted(users.items()))
    )


async def _identity(account: Account, arn: str, users: list[str], made_at: str) -> None:
    name = arn.rpartition("/")[2]
    data = await account.told(f"identity/{name}", _whole(account, arn, made_at), _KIND)
    if data is not None:
        account.add(_KIND, name, data | {"usedBy": users}, uid=arn)


async def _whole(account: Account, arn: str, made_at: str) -> Described:
    made = Described({"arn": arn, "granted": UNKNOWN, "used": UNKNOWN})
    try:
        services, at = await _report(account, arn)
    except SourceError as error:
        made.refused.append(error)
        return made
    rights = [right for service in services for right in _rights(service, at - _WINDOW)]
    made.data["granted"] = sorted({name for name, _ in rights})
    if not made_at:
        made.refused.append(SourceError("how old the role is is not known, so neither is what it needs", where="used"))
    elif datetime.fromisoformat(made_at) > at - _WINDOW:
        made.refused.append(
            SourceError("the role is not 90 days old: what it needs is not to be told yet", where="used")
        )
    else:
        made.data["used"] = sorted({name for name, used in rights if used})
    return made


def _rights(service: Mapping[str, Any], since: datetime) -> Iterable[tuple[str, bool]]:
    """A service's rights and whether each was used; where IAM follows no single action, the service as a whole."""
    space = str(service["ServiceNamespace"])
    actions = service.get("TrackedActionsLastAccessed") or ()
    if not actions:
        yield f"{space}:*", _after(service.get("LastAuthenticated"), since)
    for action in actions:
        yield f"{space}:{action['ActionName']}", _after(action.get("LastAccessedTime"), since)


def _after(moment: Any, since: datetime) -> bool:
    return bool(moment) and datetime.fromisoformat(str(moment)) >= since


async def _report(account: Account, arn: str) -> tuple[list[dict[str, Any]], datetime]:
    """All services of a role's report, and when it was made. IAM writes it while we wait; it changes nothing."""
    asked = await account.client.call(
        "iam", "generate_service_last_accessed_details", Arn=arn, Granularity="ACTION_LEVEL"
    )
    job = str(asked["JobId"])
    page = await _page(account, job)
    end = time.monotonic() + _PATIENCE
    while page.get("JobStatus") == "IN_PROGRESS":
        if time.monotonic() > end:
            raise LimitExceeded(f"IAM's report took longer than {_PATIENCE:g} seconds", where=_REPORT)
        await asyncio.sleep(_LOOK)
        page = await _page(account, job)
    if page.get("JobStatus") != "COMPLETED":
        raise SourceError("IAM could not write its report", where=_REPORT)
    services = list(page.get("ServicesLastAccessed") or ())
    for _ in range(_PAGES):
        if not page.get("IsTruncated"):
            return services, datetime.fromisoformat(str(page["JobCompletionDate"]))
        page = await _page(account, job, Marker=page["Marker"])
        services += page.get("ServicesLastAccessed") or ()
    raise LimitExceeded(f"IAM's report has more than {_PAGES} pages", where=_REPORT)


async def _page(account: Account, job: str, **more: Any) -> dict[str, Any]:
    return await account.client.call("iam", "get_service_last_accessed_details", JobId=job, MaxItems=200, **more)
