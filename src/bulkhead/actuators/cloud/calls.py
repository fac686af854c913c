"""How the record of each kind is made true: the calls for those fields that differ."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from bulkhead.actuators.cloud import instances, policies, waiting
from bulkhead.actuators.cloud.waiting import Patience
from bulkhead.app.worlds import Progress
from bulkhead.clients.cloud import Vanished
from bulkhead.clients.cloud.described import Caller
from bulkhead.core.errors import PlanRefused

_OFF: Final = {"enable": False, "rollback": False}


class Change(msgspec.Struct):
    """One resource on its way from a record to another.

    Attributes:
        client: open, to the account and region of the resource.
        data: the resource as it is now.
        now: its record.
        wanted: the record that it shall have.
        progress: what is kept for the way back.
        back: whether this is the way back.
        patience: how long is waited.
    """

    client: Caller
    data: dict[str, Any]
    now: Mapping[str, Any]
    wanted: Mapping[str, Any]
    progress: Progress
    back: bool
    patience: Patience

    def differs(self, *fields: str) -> bool:
        return any(self.now.get(field) != self.wanted.get(field) for field in fields)


async def _repository(change: Change) -> None:
    name, call, wanted = str(change.data["repositoryName"]), change.client.call, change.wanted
    if change.differs("imageScanningConfiguration"):
        setting = wanted.get("imageScanningConfiguration") or {"scanOnPush": False}
        await call("ecr", "put_image_scanning_configuration", repositoryName=name, imageScanningConfiguration=setting)
    if change.differs("imageTagMutability", "imageTagMutabilityExclusionFilters"):
        filters = wanted.get("imageTagMutabilityExclusionFilters")
        more = {"imageTagMutabilityExclusionFilters": filters} if filters else {}
        mutability = wanted.get("imageTagMutability") or "MUTABLE"
        await call("ecr", "put_image_tag_mutability", repositoryName=name, imageTagMutability=mutability, **more)
    if change.differs("policyText"):
        await _text(change, "policyText", "set_repository_policy", "delete_repository_policy")
    if change.differs("lifecyclePolicyText"):
        await _text(change, "lifecyclePolicyText", "put_lifecycle_policy", "delete_lifecycle_policy")


async def _text(change: Change, field: str, put: str, remove: str) -> None:
    name, text = str(change.data["repositoryName"]), change.wanted.get(field)
    if text is not None:
        await change.client.call("ecr", put, repositoryName=name, **{field: text})
        return
    try:
        await change.client.call("ecr", remove, repositoryName=name)
    except Vanished:
        return  # It is gone already.


async def _ecs_cluster(change: Change) -> None:
    wanted = list(change.wanted.get("settings") or ())
    named = {item["name"] for item in wanted}
    off = [
        {"name": item["name"], "value": "disabled"}
        for item in change.now.get("settings") or ()
        if item["name"] not in named
    ]
    if wanted != list(change.now.get("settings") or ()):
        await change.client.call("ecs", "update_cluster", cluster=str(change.data["clusterArn"]), settings=wanted + off)


async def _ecs_service(change: Change) -> None:
    made: dict[str, Any] = {}
    if change.differs("deploymentConfiguration"):
        wanted = dict(change.wanted.get("deploymentConfiguration") or {})
        # What is left out of the call stays as it is: a breaker is switched off by its name.
        made["deploymentConfiguration"] = {"deploymentCircuitBreaker": dict(_OFF), **wanted}
    if change.differs("enableExecuteCommand"):
        made["enableExecuteCommand"] = change.wanted.get("enableExecuteCommand") is True
    for field in ("networkConfiguration", "platformVersion"):
        if change.differs(field):
            if field not in change.wanted:
                raise PlanRefused(f"no call takes {field} away again", where=str(change.data.get("serviceName")))
            made[field] = change.wanted[field]
    if made:
        cluster, name = str(change.data["clusterArn"]), str(change.data["serviceName"])
        await change.client.call("ecs", "update_service", cluster=cluster, service=name, **made)
    if (
        "networkConfiguration" in made
        or "platformVersion" in made
        or (change.back and change.progress.known().get("rolls"))
    ):
        await waiting.service(change.client, change.data, change.patience)


async def _eks_cluster(change: Change) -> None:
    """EKS takes one kind of change at a time and makes it in the background."""
    name = str(change.data["name"])
    for field in ("logging", "resourcesVpcConfig", "deletionProtection"):
        if not change.differs(field):
            continue
        value: Any = change.wanted.get(field)
        if field == "deletionProtection":
            value = value is True
        elif field == "logging":
            value = {"clusterLogging": [group for group in value["clusterLogging"] if group["types"]]}
        await waiting.cluster(change.client, name, change.patience)
        answer = await change.client.call("eks", "update_cluster_config", name=name, **{field: value})
        await waiting.update(change.client, name, str((answer.get("update") or {}).get("id") or ""), change.patience)


async def _container_instance(change: Change) -> None:
    if change.differs("metadataOptions"):
        await instances.put(
            change.client, [str(change.data["ec2InstanceId"])], change.wanted.get("metadataOptions") or {}
        )


async def _nodegroup(change: Change) -> None:
    if change.back:
        await instances.put_back(change.client, change.data, change.wanted, change.progress)
    elif change.differs("metadataOptions"):
        await instances.tighten(change.client, change.data, change.wanted, change.progress)


async def _policy(change: Change) -> None:
    if change.back:
        await policies.put_back(change.client, change.data, change.progress)
    elif change.differs("document"):
        await policies.put(change.client, change.data, change.wanted["document"], change.progress)


CALLS: Final[Mapping[str, Callable[[Change], Awaitable[None]]]] = {
    "EcrRepository": _repository, "EcsCluster": _ecs_cluster, "EcsService": _ecs_service, "EcsContainerInstance": _container_instance,
    "EksCluster": _eks_cluster, "EksNodegroup": _nodegroup, "IamPolicy": _policy,
}  # fmt: skip


async def refusals(client: Caller, kind: str, data: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """What people should know before.

    Raises:
        PlanRefused: the cloud, or this channel, does not take the change; the message says why.
    """
    if kind == "EksCluster":
        access = wanted.get("resourcesVpcConfig") or {}
        if not access.get("endpointPublicAccess") and not access.get("endpointPrivateAccess"):
            raise PlanRefused("neither a public nor a private endpoint would be left", where=str(data.get("name")))
    if kind == "EksNodegroup":
        if data.get("launchTemplate"):
            raise PlanRefused(
                "its launch template says so: make a version of it and update the node group",
                where=str(data.get("nodegroupName")),
            )
        return ("nodes that come later have the options of EKS again: name a launch template",)
    if kind == "IamPolicy":
        await policies.room(client, data)
    return ()
