"""Clusters of EKS and their node groups, with the policies of the nodes' roles."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from bulkhead.clients.cloud import Vanished, described
from bulkhead.clients.cloud.described import Described
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import UNKNOWN
from bulkhead.sources.cloud import node_roles
from bulkhead.sources.cloud.account import Account, every
from bulkhead.sources.cloud.inventory import record

_CLUSTER, _NODES, _IDENTITY = "EksCluster", "EksNodegroup", "WorkloadIdentity"
_ADDON = "vpc-cni"


async def read(account: Account) -> dict[str, list[str]]:
    """Everything of EKS into the account; the roles that its agent gives to pods, and to whom."""
    names = await account.listed("eks", "list_clusters", "clusters", (_CLUSTER, _NODES, _IDENTITY))
    await asyncio.gather(*(_cluster(account, str(name)) for name in names))
    roles: dict[str, list[str]] = {}
    for part in await asyncio.gather(*(_associations(account, str(name)) for name in names)):
        for item in part:
            who = f"eks/{item.get('clusterName')}/{item.get('namespace')}/{item.get('serviceAccount')}"
            roles.setdefault(str(item.get("roleArn")), []).append(who)
    return roles


async def _associations(account: Account, cluster: str) -> list[dict[str, Any]]:
    items = await account.listed(
        "eks", "list_pod_identity_associations", "associations", (_IDENTITY,), clusterName=cluster
    )

    async def one(item: Mapping[str, Any]) -> list[dict[str, Any]]:
        try:
            found = await account.client.call(
                "eks", "describe_pod_identity_association",
                clusterName=cluster, associationId=str(item.get("associationId")),
            )  # fmt: skip
            return [record(found, "association")]
        except Vanished:
            return []
        except SourceError as error:
            account.gap(f"eks/{cluster} {error.where}", error, _IDENTITY)
            return []

    return await every(one(item) for item in items)


async def _cluster(account: Account, name: str) -> None:
    where = f"eks/{name}"
    roles = await _groups(account, name)
    data = await account.told(where, _whole(account, name, roles), _CLUSTER)
    if data is not None:
        account.add(_CLUSTER, name, data, uid=str(data.get("arn", "")))


async def _whole(account: Account, name: str, roles: list[str] | None) -> Described:
    made = Described(dict((await account.client.call("eks", "describe_cluster", name=name))["cluster"]))
    await node_roles.read(account, name, roles, made)
    before = len(made.refused)
    await made.add("networkPolicyEngine", _engine(account, name))
    made.data.setdefault("networkPolicyEngine", UNKNOWN)
    if made.data["networkPolicyEngine"] is UNKNOWN and len(made.refused) == before:
        made.refused.append(
            SourceError(
                "whether something enforces network policies is not to be seen through this API",
                where="networkPolicyEngine",
                hint="scan the cluster itself: bulkhead scan kubernetes://",
            )
        )
    return made


async def _groups(account: Account, cluster: str) -> list[str] | None:
    """The node groups into the account; the roles of their nodes, None where not all are known."""
    hides = (_NODES, _CLUSTER)
    try:
        listed = await account.client.collect("eks", "list_nodegroups", "nodegroups", clusterName=cluster)
        if listed.cut:
            raise SourceError(f"not all are read: {listed.cut}", where="eks:ListNodegroups")
    except SourceError as error:
        account.gap(f"eks/{cluster} {error.where}", error, *hides)
        return None
    made = await asyncio.gather(*(_group(account, cluster, str(name)) for name in listed.items))
    roles = [item for item in made if item]
    return roles if len(roles) == len(made) else None


async def _group(account: Account, cluster: str, name: str) -> str:
    where = f"eks/{cluster}/{name}"
    try:
        found = await account.client.call("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name)
    except SourceError as error:
        # Without it neither the group is known nor whose rights the cluster's nodes have.
        account.gap(where, error, _NODES, _CLUSTER)
        return ""
    data = await account.told(where, described.nodegroup(account.client, record(found, "nodegroup")), _NODES)
    if data is None:
        return ""
    account.add(_NODES, name, data, uid=str(data.get("nodegroupArn", "")), namespace=cluster)
    return str(data.get("nodeRole") or "")


async def _engine(account: Account, cluster: str) -> Any:
    """``vpc-cni`` where its add-on is told to enforce policies; otherwise only the cluster itself knows."""
    asked: partial[Any] = partial(account.client.call, "eks", "describe_addon", clusterName=cluster, addonName=_ADDON)
    addon = (await asked())["addon"]
    return _ADDON if _enforces(addon) else UNKNOWN


def _enforces(addon: Mapping[str, Any]) -> bool:
    try:
        values = msgspec.json.decode(str(addon.get("configurationValues") or "{}"))
    except msgspec.DecodeError:
        return False
    return isinstance(values, dict) and str(values.get("enableNetworkPolicy")).lower() == "true"
