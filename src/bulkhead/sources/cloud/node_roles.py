"""Roles that the nodes of a cluster work under: their policies, and what was called with them that a node itself never calls.

A pod without an identity of its own calls AWS with the role of its node, which IAM's report of last access shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from bulkhead.clients.cloud import Vanished
from bulkhead.clients.cloud.described import Described
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import UNKNOWN
from bulkhead.sources.cloud import last_access
from bulkhead.sources.cloud.account import Account, every

# What kubelet, its credential provider, the network plug-in of a node and Systems Manager's agent call:
# https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
_NODE: Final = frozenset({"ecr", "eks", "eks-auth", "sts", "ssm", "ssmmessages", "ec2messages"})
_NODE_EC2: Final = frozenset({
    "AssignPrivateIpAddresses", "AttachNetworkInterface", "CreateNetworkInterface", "CreateTags", "DeleteNetworkInterface",
    "DetachNetworkInterface", "ModifyNetworkInterfaceAttribute", "UnassignPrivateIpAddresses", "AssignIpv6Addresses",
})  # fmt: skip
_ENTRIES: Final = frozenset({"EC2_LINUX", "EC2_WINDOWS", "EC2"})


async def read(account: Account, cluster: str, groups: list[str] | None, made: Described) -> None:
    """``nodeRoles`` into a cluster: an unknown item stands for nodes whose role is not to be learnt.

    Args:
        account: the account that the cluster is in.
        cluster: its name.
        groups: the roles of its node groups, None where they are not known.
        made: the cluster as it is described, with its ``accessConfig``.
    """
    found: list[Any] = []
    arns = set(groups or ())
    if groups is None:
        found.append(UNKNOWN)
    mode = (made.data.get("accessConfig") or {}).get("authenticationMode")
    if mode != "API":
        # What stands in the cluster's own map of roles is seen by nobody here.
        made.refused.append(_in_the_cluster())
        found.append(UNKNOWN)
    if mode != "CONFIG_MAP":
        try:
            arns |= await _registered(account, cluster)
        except SourceError as error:
            made.refused.append(error)
            found.append(UNKNOWN)
    found += await asyncio.gather(*(_role(account, arn, made) for arn in sorted(arns)))
    made.data["nodeRoles"] = found


def _in_the_cluster() -> SourceError:
    return SourceError(
        "which roles its nodes have may stand in the cluster alone (aws-auth)",
        where="nodeRoles",
        hint="let the cluster take access entries only: authenticationMode API",
    )


async def _registered(account: Account, cluster: str) -> set[str]:
    """Roles of nodes as access entries have them, also of those that are in no node group of EKS.

    Raises:
        SourceError: the list is refused or cut.
    """
    listed = await account.client.collect("eks", "list_access_entries", "accessEntries", clusterName=cluster)
    if listed.cut:
        raise SourceError(f"not all are read: {listed.cut}", where="eks:ListAccessEntries")

    async def one(arn: str) -> list[dict[str, Any]]:
        try:
            told = await account.client.call("eks", "describe_access_entry", clusterName=cluster, principalArn=arn)
        except Vanished:
            return []
        return [told["accessEntry"]]

    entries = await every(one(str(arn)) for arn in listed.items)
    return {str(item["principalArn"]) for item in entries if item.get("type") in _ENTRIES}


async def _role(account: Account, arn: str, made: Described) -> dict[str, Any]:
    name = arn.rpartition("/")[2]
    role: dict[str, Any] = {"arn": arn, "managedPolicies": UNKNOWN, "calls": UNKNOWN}
    try:
        found = await account.client.collect("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        if found.cut:
            raise SourceError(f"not all policies of a role are known: {found.cut}", where=name)
        role["managedPolicies"] = [str(item["PolicyArn"]) for item in found.items]
        services, at = await last_access.report(account.client, arn)
        role["calls"] = sorted(calls(services, at - last_access.WINDOW))
    except Vanished:
        # A role that is gone is not a role without policies.
        made.refused.append(SourceError("a role of the nodes is gone", where=name))
    except SourceError as error:
        made.refused.append(error)
    return role


def calls(services: Iterable[Mapping[str, Any]], since: datetime) -> Iterable[str]:
    """What was called since then that a node itself does not call: services, and actions of EC2."""
    for service in services:
        space = str(service["ServiceNamespace"])
        if space in _NODE or not last_access.used(service, since):
            continue
        if space != "ec2":
            yield space
            continue
        # A node calls EC2 in any case: where its actions are not followed one by one nothing more is to be told of it.
        for right, used in last_access.rights(service, since):
            action = right.partition(":")[2]
            if used and action not in (*_NODE_EC2, "*") and not action.startswith("Describe"):
                yield right
