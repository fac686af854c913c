"""Managed policies: a change is a new version, the way back is the old one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bulkhead.app.worlds import Progress
from bulkhead.clients.cloud import Vanished
from bulkhead.clients.cloud.described import Caller
from bulkhead.core.errors import PlanRefused

_MOST = 5
"""Versions that IAM keeps of a policy."""


async def room(client: Caller, data: Mapping[str, Any]) -> None:
    """Raises PlanRefused where IAM would take no further version."""
    found = await client.collect("iam", "list_policy_versions", "Versions", PolicyArn=str(data["arn"]))
    if len(found.items) >= _MOST:
        raise PlanRefused(f"the policy has {_MOST} versions: delete one first", where=str(data["policyName"]))


async def put(client: Caller, data: Mapping[str, Any], document: Any, progress: Progress) -> None:
    arn = str(data["arn"])
    listed = await client.collect("iam", "list_policy_versions", "Versions", PolicyArn=arn)
    progress.note(former=str(data["defaultVersionId"]), versions=[str(item["VersionId"]) for item in listed.items])
    text = msgspec.json.encode(document).decode()
    made = await client.call("iam", "create_policy_version", PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
    progress.note(made=str(made["PolicyVersion"]["VersionId"]))


async def put_back(client: Caller, data: Mapping[str, Any], progress: Progress) -> None:
    """The former version is the default again; the one that was made goes, even where its making was never noted."""
    known = progress.known()
    former, arn = str(known.get("former") or ""), str(data["arn"])
    if not former:
        return  # Nothing was made.
    now = str(data["defaultVersionId"])
    made = str(known.get("made") or ("" if now in (known.get("versions") or ()) else now))
    if now != former:
        await client.call("iam", "set_default_policy_version", PolicyArn=arn, VersionId=former)
    if made and made != former:
        try:
            await client.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=made)
        except Vanished:
            return  # It is gone already.
