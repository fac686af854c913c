"""Clusters of ECS: services, task definitions in use, container instances, and what answers from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bulkhead.clients.cloud import Vanished, described
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import UNKNOWN
from bulkhead.sources.cloud.account import Account, batches, every
from bulkhead.sources.cloud.running import Running
from bulkhead.sources.cloud.vpc import Networks

_TASKS: Final = ("EcsTaskDefinition", "DeployedContainer", "CloudAccount", "WorkloadIdentity")
_RUNNING: Final = (*_TASKS, "DeployedImage")
_DEPENDENT: Final = ("EcsCluster", "EcsService", "EcsContainerInstance", *_RUNNING)


class InUse(msgspec.Struct):
    """One task definition that runs: by which service (or single task, with its attachments) of which cluster."""

    definition: str
    cluster: str
    service: Mapping[str, Any]


class Found(msgspec.Struct):
    """What ECS tells to other parts of the reading: images that are asked for, images that run, and under which roles by whom."""

    images: list[str] = msgspec.field(default_factory=list)
    running: list[Running] = msgspec.field(default_factory=list)
    roles: dict[str, list[str]] = msgspec.field(default_factory=dict)


async def read(account: Account, networks: Networks) -> Found:
    """Everything of ECS into the account."""
    found = Found()
    arns = await account.listed("ecs", "list_clusters", "clusterArns", _DEPENDENT)
    calls = (
        account.described(
            "ecs",
            "describe_clusters",
            "clusters",
            ("EcsCluster",),
            clusters=names,
            include=["SETTINGS", "CONFIGURATIONS"],
        )
        for names in batches(map(str, arns), 100)
    )
    for item in await every(calls):
        if item.get("status") != "INACTIVE":
            account.add("EcsCluster", str(item.get("clusterName")), item, uid=str(item.get("clusterArn")))
    parts = await asyncio.gather(*(_cluster(account, networks, str(arn), found) for arn in arns))
    await _definitions(account, networks, [use for part in parts for use in part], found)
    return found


async def _cluster(account: Account, networks: Networks, arn: str, found: Found) -> list[InUse]:
    name = arn.rpartition("/")[2]
    hosts, services, tasks = await asyncio.gather(
        _instances(account, name), _services(account, name), _tasks(account, name, found)
    )
    networks.hosts[name] = hosts
    return services + tasks


async def _services(account: Account, cluster: str) -> list[InUse]:
    hides = ("EcsService", *_TASKS)
    arns = await account.listed("ecs", "list_services", "serviceArns", hides, cluster=cluster)
    calls = (
        account.described("ecs", "describe_services", "services", hides, cluster=cluster, services=names)
        for names in batches(map(str, arns), 10)
    )
    uses = []
    for item in await every(calls):
        if item.get("status") == "INACTIVE":
            continue
        name = str(item.get("serviceName"))
        account.add("EcsService", name, item, uid=str(item.get("serviceArn")), namespace=cluster)
        running = {str(part.get("taskDefinition") or "") for part in (item, *(item.get("deployments") or ()))}
        uses += [InUse(arn, cluster, item) for arn in sorted(running) if arn]
    return uses


async def _tasks(account: Account, cluster: str, found: Found) -> list[InUse]:
    """Definitions of tasks that no service keeps; the images of all tasks."""
    arns = await account.listed("ecs", "list_tasks", "taskArns", _RUNNING, cluster=cluster)
    calls = (
        account.described("ecs", "describe_tasks", "tasks", _RUNNING, cluster=cluster, tasks=names)
        for names in batches(map(str, arns), 100)
    )
    tasks = await every(calls)
    for item in tasks:
        by = f"{cluster}/{str(item.get('group') or '').rpartition(':')[2]}"
        found.running += [
            Running(str(part.get("image") or ""), str(part.get("imageDigest") or ""), by)
            for part in item.get("containers") or ()
        ]
    return [
        InUse(str(item.get("taskDefinitionArn") or ""), cluster, {"attachments": item.get("attachments") or []})
        for item in tasks
        if not str(item.get("group") or "").startswith("service:")
    ]


async def _instances(account: Account, cluster: str) -> list[str] | None:
    """Container instances into the account; their EC2 instances, None where they are not known."""
    hides = ("EcsContainerInstance", "DeployedContainer")
    known = True
    items: list[dict[str, Any]] = []
    try:
        listed = await account.client.collect(
            "ecs", "list_container_instances", "containerInstanceArns", cluster=cluster
        )
        if listed.cut:
            raise SourceError(f"not all are read: {listed.cut}", where="ecs:ListContainerInstances")
        for names in batches(map(str, listed.items), 100):
            found = await account.client.call(
                "ecs", "describe_container_instances", cluster=cluster, containerInstances=names
            )
            items += found["containerInstances"]
            if any(failure.get("reason") != "MISSING" for failure in found.get("failures") or ()):
                raise SourceError("some were left out", where="ecs:DescribeContainerInstances")
    except SourceError as error:
        known = False
        account.gap(error.where or "ecs", error, *hides)

    async def one(item: dict[str, Any]) -> None:
        arn = str(item.get("containerInstanceArn"))
        name = arn.rpartition("/")[2]
        where = f"ecs/{cluster}/{name}"
        data = await account.told(where, described.container_instance(account.client, item), "EcsContainerInstance")
        if data is not None:
            account.add("EcsContainerInstance", name, data, uid=arn, namespace=cluster)

    await asyncio.gather(*(one(item) for item in items))
    return [str(item["ec2InstanceId"]) for item in items if item.get("ec2InstanceId")] if known else None


async def _definitions(account: Account, networks: Networks, uses: list[InUse], told: Found) -> None:
    """The definitions that run, each once, and their containers wherever they run."""
    arns = sorted({use.definition for use in uses if use.definition})
    found = dict(zip(arns, await asyncio.gather(*(_definition(account, arn) for arn in arns)), strict=True))
    newest = {str(item.get("family")): arn for arn, item in sorted(found.items(), key=_revision) if item}
    for arn, item in found.items():
        if item is None:
            continue
        family = str(item.get("family"))
        # The newest keeps its identity when a repair makes the next revision.
        uid = arn.rpartition(":")[0] if newest[family] == arn else arn
        account.add("EcsTaskDefinition", family, item, uid=uid)
        told.images += [str(part.get("image") or "") for part in item.get("containerDefinitions") or ()]
        if item.get("taskRoleArn"):
            told.roles.setdefault(str(item["taskRoleArn"]), []).append(f"ecs/{family}")
    for use in uses:
        item = found.get(use.definition)
        if item is not None:
            await _containers(account, networks, use, item)


def _revision(entry: tuple[str, dict[str, Any] | None]) -> int:
    return int((entry[1] or {}).get("revision") or 0)


async def _definition(account: Account, arn: str) -> dict[str, Any] | None:
    try:
        found = (await account.client.call("ecs", "describe_task_definition", taskDefinition=arn)).get("taskDefinition")
    except Vanished:
        return None
    except SourceError as error:
        account.gap(f"ecs/{arn.rpartition('/')[2]}", error, *_TASKS)
        return None
    return found if isinstance(found, dict) else None


async def _containers(account: Account, networks: Networks, use: InUse, definition: Mapping[str, Any]) -> None:
    owner = str(use.service.get("serviceName") or definition.get("family"))
    where = f"ecs/{use.cluster}/{owner}"
    sources: Any = UNKNOWN
    with account.in_shape(where, "DeployedContainer"):
        try:
            sources = await networks.sources(use.cluster, use.service, definition)
        except SourceError as error:
            account.gap(where, error, "DeployedContainer")
    for part in definition.get("containerDefinitions") or ():
        data = {
            "image": part.get("image"), "cluster": use.cluster, "service": use.service.get("serviceName", ""), "allowedSources": sources,
        }  # fmt: skip
        uid = f"{use.definition}#{part.get('name')}"
        account.add("DeployedContainer", f"{owner}/{part.get('name')}", data, uid=uid, namespace=use.cluster)
