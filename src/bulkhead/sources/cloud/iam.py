"""Policies that the account made itself, with their documents in force, and roles with whom they trust."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from bulkhead.clients.cloud import described
from bulkhead.sources.cloud.account import Account

_OWN_PATH = "/aws-service-role/"
"""Roles below it are AWS's: nobody here changes whom they trust."""


class Roles(msgspec.Struct):
    """When each role was made, and which are for workloads that a cluster's issuer names; by their names for AWS (ARN)."""

    made_at: dict[str, str] = msgspec.field(default_factory=dict)
    federated: list[str] = msgspec.field(default_factory=list)


async def read(account: Account) -> Roles:
    """Policies and roles into the account."""
    policies, roles = await asyncio.gather(
        account.listed("iam", "list_policies", "Policies", ("IamPolicy",), Scope="Local"),
        account.listed("iam", "list_roles", "Roles", ("IamRole", "WorkloadIdentity")),
    )
    await asyncio.gather(*(_policy(account, item) for item in policies))
    found = Roles()
    for item in roles:
        arn = str(item.get("Arn"))
        found.made_at[arn] = str(item.get("CreateDate") or "")
        if not str(item.get("Path") or "").startswith(_OWN_PATH):
            account.add("IamRole", str(item.get("RoleName")), item, uid=arn)
            with account.in_shape(f"iam/{item.get('RoleName')}", "WorkloadIdentity"):
                if _is_federated(item):
                    found.federated.append(arn)
    return found


def _is_federated(role: Mapping[str, Any]) -> bool:
    """Whether somebody whom an issuer of a cluster names may take the role."""
    document = role.get("AssumeRolePolicyDocument") or {}
    statements = document.get("Statement") or []
    return any(
        ":oidc-provider/oidc.eks." in str((item.get("Principal") or {}).get("Federated") or "")
        for item in (statements if isinstance(statements, list) else [statements])
        if item.get("Effect") == "Allow" and isinstance(item.get("Principal"), Mapping)
    )


async def _policy(account: Account, item: dict[str, Any]) -> None:
    name = str(item.get("PolicyName"))
    data = await account.told(f"iam/{name}", described.policy(account.client, item), "IamPolicy")
    if data is not None:
        account.add("IamPolicy", name, data, uid=str(item.get("Arn")))
