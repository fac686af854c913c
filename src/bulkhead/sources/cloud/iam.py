"""Policies that the account made itself, with their documents in force, and roles with whom they trust."""

from __future__ import annotations

import asyncio
from typing import Any

from bulkhead.clients.cloud import described
from bulkhead.sources.cloud.account import Account

_OWN_PATH = "/aws-service-role/"
"""Roles below it are AWS's: nobody here changes whom they trust."""


async def read(account: Account) -> None:
    policies, roles = await asyncio.gather(
        account.listed("iam", "list_policies", "Policies", ("IamPolicy",), Scope="Local"),
        account.listed("iam", "list_roles", "Roles", ("IamRole",)),
    )
    await asyncio.gather(*(_policy(account, item) for item in policies))
    for item in roles:
        if not str(item.get("Path") or "").startswith(_OWN_PATH):
            account.add("IamRole", str(item.get("RoleName")), item, uid=str(item.get("Arn")))


async def _policy(account: Account, item: dict[str, Any]) -> None:
    name = str(item.get("PolicyName"))
    data = await account.told(f"iam/{name}", described.policy(account.client, item), "IamPolicy")
    if data is not None:
        account.add("IamPolicy", name, data, uid=str(item.get("Arn")))
