"""One resource of an account as several calls tell it together; a fact whose call was refused is unknown there, with the refusal.

Sources read whole accounts with it, and hands read again what they are about to change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from bulkhead.clients.cloud.agent import agent_settings
from bulkhead.clients.cloud.client import Listed
from bulkhead.clients.cloud.failures import Vanished
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import UNKNOWN


class Caller(Protocol):
    """What is asked of an account; ``AwsClient`` answers."""

    @property
    def region(self) -> str: ...

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]: ...

    async def collect(self, service: str, operation: str, key: str, /, **parameters: Any) -> Listed: ...


class Described(msgspec.Struct):
    """A resource's data and the calls that were refused on the way."""

    data: dict[str, Any]
    refused: list[SourceError] = msgspec.field(default_factory=list)

    async def add(self, field: str, asked: Awaitable[Any]) -> None:
        """A fact from another call; absent where that says that there is none, unknown where it is refused."""
        try:
            self.data[field] = await asked
        except Vanished:
            self.data.pop(field, None)
        except SourceError as error:
            self.data[field] = UNKNOWN
            self.refused.append(error)


async def repository(client: Caller, item: Mapping[str, Any]) -> Described:
    """An ECR repository with its policies."""
    made = Described(dict(item))
    name = str(item["repositoryName"])
    await made.add("policyText", _field(client, "policyText", "ecr", "get_repository_policy", repositoryName=name))
    await made.add(
        "lifecyclePolicyText", _field(client, "lifecyclePolicyText", "ecr", "get_lifecycle_policy", repositoryName=name)
    )
    return made


async def container_instance(client: Caller, item: Mapping[str, Any]) -> Described:
    """An ECS container instance with the metadata options of its EC2 instance and what that told the agent when it started."""
    made = Described(dict(item))
    if item.get("ec2InstanceId"):
        name = str(item["ec2InstanceId"])
        await made.add("metadataOptions", _weakest_of(client, InstanceIds=[name]))
        await made.add("agentConfiguration", _agent(client, name))
    return made


async def _agent(client: Caller, instance: str) -> dict[str, str]:
    answer = await client.call("ec2", "describe_instance_attribute", InstanceId=instance, Attribute="userData")
    return agent_settings(str((answer.get("UserData") or {}).get("Value") or ""))


async def nodegroup(client: Caller, item: Mapping[str, Any]) -> Described:
    """An EKS node group with the weakest metadata options of its launch template and its instances."""
    made = Described(dict(item))
    await made.add("metadataOptions", _nodes(client, item))
    return made


async def policy(client: Caller, item: Mapping[str, Any]) -> Described:
    """A managed policy with the document of its default version."""
    made = Described(
        {"policyName": item["PolicyName"], "arn": item["Arn"], "defaultVersionId": item["DefaultVersionId"]}
    )

    async def document() -> Any:
        version = str(item["DefaultVersionId"])
        answer = await client.call("iam", "get_policy_version", PolicyArn=str(item["Arn"]), VersionId=version)
        return answer["PolicyVersion"]["Document"]

    await made.add("document", document())
    return made


async def members(client: Caller, item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Metadata options of a node group's instances, by instance, in EC2's words."""
    filters = [
        {"Name": "tag:eks:cluster-name", "Values": [str(item["clusterName"])]},
        {"Name": "tag:eks:nodegroup-name", "Values": [str(item["nodegroupName"])]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    return await _options(client, Filters=filters)


async def _nodes(client: Caller, item: Mapping[str, Any]) -> dict[str, Any]:
    found = list((await members(client, item)).values())
    template = item.get("launchTemplate")
    if template:
        found.append(await _of_template(client, template))
    if not found:
        raise SourceError("the node group has no instance and no launch template", where=str(item["nodegroupName"]))
    return weakest(found)


async def _of_template(client: Caller, template: Mapping[str, Any]) -> dict[str, Any]:
    which = {"LaunchTemplateId": template["id"]} if template.get("id") else {"LaunchTemplateName": template["name"]}
    version = str(template.get("version") or "$Default")
    answer = await client.call("ec2", "describe_launch_template_versions", Versions=[version], **which)
    options = (answer["LaunchTemplateVersions"][0].get("LaunchTemplateData") or {}).get("MetadataOptions") or {}
    # What a template does not say is EC2's default: tokens optional, one hop.
    return {"HttpTokens": "optional", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled", **options}


async def _weakest_of(client: Caller, **which: Any) -> dict[str, Any]:
    return weakest(list((await _options(client, **which)).values()))


async def _options(client: Caller, **which: Any) -> dict[str, dict[str, Any]]:
    listed = await client.collect("ec2", "describe_instances", "Reservations", **which)
    if listed.cut:
        raise SourceError(f"not all instances are known: {listed.cut}", where="ec2:DescribeInstances")
    return {
        str(instance["InstanceId"]): dict(instance.get("MetadataOptions") or {})
        for reservation in listed.items
        for instance in reservation["Instances"]
    }


def weakest(options: list[dict[str, Any]]) -> dict[str, Any]:
    """The options that a process would like best, in the words of EKS: tokens optional before required, most hops first."""
    if not options:
        raise SourceError("there is no such instance", where="ec2:DescribeInstances")
    open_ones = [item for item in options if item.get("HttpEndpoint", "enabled") != "disabled"] or options
    tokens = "required" if all(item.get("HttpTokens") == "required" for item in open_ones) else "optional"
    return {
        "httpTokens": tokens,
        "httpPutResponseHopLimit": max(int(item.get("HttpPutResponseHopLimit") or 1) for item in open_ones),
    }


async def _field(client: Caller, field: str, service: str, operation: str, /, **parameters: Any) -> Any:
    return (await client.call(service, operation, **parameters))[field]


async def _repository(client: Caller, name: str, namespace: str, uid: str) -> Described:  # noqa: ARG001 (the table's)
    found = (await client.call("ecr", "describe_repositories", repositoryNames=[name]))["repositories"]
    return await repository(client, _only(found, name))


async def _ecs_cluster(client: Caller, name: str, namespace: str, uid: str) -> Described:  # noqa: ARG001
    found = await client.call("ecs", "describe_clusters", clusters=[name], include=["SETTINGS"])
    return Described(dict(_only(found["clusters"], name)))


async def _ecs_service(client: Caller, name: str, namespace: str, uid: str) -> Described:  # noqa: ARG001
    found = await client.call("ecs", "describe_services", cluster=namespace, services=[name])
    return Described(dict(_only(found["services"], name)))


async def _instance(client: Caller, name: str, namespace: str, uid: str) -> Described:
    found = await client.call("ecs", "describe_container_instances", cluster=namespace, containerInstances=[uid])
    return await container_instance(client, _only(found["containerInstances"], name))


async def _eks_cluster(client: Caller, name: str, namespace: str, uid: str) -> Described:  # noqa: ARG001
    return Described(dict((await client.call("eks", "describe_cluster", name=name))["cluster"]))


async def _nodegroup(client: Caller, name: str, namespace: str, uid: str) -> Described:  # noqa: ARG001
    found = await client.call("eks", "describe_nodegroup", clusterName=namespace, nodegroupName=name)
    return await nodegroup(client, found["nodegroup"])


async def _policy(client: Caller, name: str, namespace: str, uid: str) -> Described:  # noqa: ARG001
    return await policy(client, (await client.call("iam", "get_policy", PolicyArn=uid))["Policy"])


def _only(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    if not found:
        raise Vanished("there is no such thing", where=name)
    return found[0]


ONE: Final[Mapping[str, Callable[[Caller, str, str, str], Awaitable[Described]]]] = {
    "EcrRepository": _repository, "EcsCluster": _ecs_cluster, "EcsService": _ecs_service, "EcsContainerInstance": _instance,
    "EksCluster": _eks_cluster, "EksNodegroup": _nodegroup, "IamPolicy": _policy,
}  # fmt: skip
"""How one resource is read again: by its name, namespace (the cluster that it belongs to) and ARN."""
