"""Identities that containers work under: what they may do, and what of it they did, as IAM's report of last access tells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from bulkhead.clients.cloud.described import Described
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import UNKNOWN
from bulkhead.sources.cloud import last_access
from bulkhead.sources.cloud.account import Account

_KIND: Final = "WorkloadIdentity"


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
        services, at = await last_access.report(account.client, arn)
    except SourceError as error:
        made.refused.append(error)
        return made
    since = at - last_access.WINDOW
    rights = [right for service in services for right in last_access.rights(service, since)]
    made.data["granted"] = sorted({name for name, _ in rights})
    if not made_at:
        made.refused.append(SourceError("how old the role is is not known, so neither is what it needs", where="used"))
    elif datetime.fromisoformat(made_at) > since:
        made.refused.append(
            SourceError("the role is not 90 days old: what it needs is not to be told yet", where="used")
        )
    else:
        made.data["used"] = sorted({name for name, used in rights if used})
    return made
