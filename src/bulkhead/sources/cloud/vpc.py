"""Which networks security groups and load balancers let through to the containers of a service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from bulkhead.clients.cloud.described import Caller
from bulkhead.core.errors import SourceError


class Networks:
    """Asks for each thing once, and only when it matters to some container.

    ``hosts`` is filled by who reads the clusters: the EC2 instances of each, None where they could not be read.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client
        self._once = asyncio.Lock()
        self._groups: dict[str, dict[str, Any]] | SourceError | None = None
        self.hosts: dict[str, list[str] | None] = {}

    async def sources(self, cluster: str, service: Mapping[str, Any], definition: Mapping[str, Any]) -> list[str]:
        """Addresses, prefix lists and groups that may send to the containers.

        Raises:
            SourceError: it cannot be known.
        """
        mode = str(definition.get("networkMode") or "bridge")
        if mode == "none":
            return []
        if mode == "awsvpc":
            names = await self._own(service)
        else:
            names = await self._of_hosts(cluster)
        found = self._let_through(names, await self._all())
        for name in await self._balancers(service):
            found |= self._let_through([name], await self._all())
        return sorted(found)

    async def _own(self, service: Mapping[str, Any]) -> list[str]:
        setting = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        if not setting:
            return await self._of_task(service)
        if setting.get("securityGroups"):
            return [str(name) for name in setting["securityGroups"]]
        # Without one of its own it has the default group of its subnet's VPC.
        subnets = [str(name) for name in setting.get("subnets") or ()][:1]
        found = (await self._client.call("ec2", "describe_subnets", SubnetIds=subnets))["Subnets"]
        vpcs = {str(item["VpcId"]) for item in found}
        groups = await self._all()
        return [
            name for name, item in groups.items() if item.get("GroupName") == "default" and item.get("VpcId") in vpcs
        ]

    async def _of_task(self, task: Mapping[str, Any]) -> list[str]:
        """A task that no service keeps has an interface of its own among its attachments."""
        names = [
            str(detail["value"])
            for attachment in task.get("attachments") or ()
            for detail in attachment.get("details") or ()
            if detail.get("name") == "networkInterfaceId"
        ]
        if not names:
            raise SourceError("the task does not say which network interface it has")
        found = await self._client.call("ec2", "describe_network_interfaces", NetworkInterfaceIds=names)
        return [str(group["GroupId"]) for item in found["NetworkInterfaces"] for group in item.get("Groups") or ()]

    async def _of_hosts(self, cluster: str) -> list[str]:
        hosts = self.hosts.get(cluster)
        if not hosts:
            raise SourceError("the machines that it runs on are not known")
        listed = await self._client.collect("ec2", "describe_instances", "Reservations", InstanceIds=hosts)
        if listed.cut:
            raise SourceError(f"not all machines are known: {listed.cut}")
        return [
            str(group["GroupId"])
            for reservation in listed.items
            for instance in reservation["Instances"]
            for group in instance.get("SecurityGroups") or ()
        ]

    async def _balancers(self, service: Mapping[str, Any]) -> list[str]:
        """Groups of the load balancers that send to the service."""
        targets = [
            str(item["targetGroupArn"]) for item in service.get("loadBalancers") or () if item.get("targetGroupArn")
        ]
        if not targets:
            return []
        found = (await self._client.call("elbv2", "describe_target_groups", TargetGroupArns=targets))["TargetGroups"]
        arns = sorted({str(arn) for item in found for arn in item.get("LoadBalancerArns") or ()})
        if not arns:
            return []
        made = (await self._client.call("elbv2", "describe_load_balancers", LoadBalancerArns=arns))["LoadBalancers"]
        return [str(name) for item in made for name in item.get("SecurityGroups") or ()]

    async def _all(self) -> dict[str, dict[str, Any]]:
        async with self._once:
            if self._groups is None:
                try:
                    listed = await self._client.collect("ec2", "describe_security_groups", "SecurityGroups")
                    if listed.cut:
                        raise SourceError(f"not all security groups are known: {listed.cut}")
                    self._groups = {str(item["GroupId"]): item for item in listed.items}
                except SourceError as error:
                    self._groups = error
        if isinstance(self._groups, SourceError):
            raise self._groups
        return self._groups

    def _let_through(self, names: Iterable[str], groups: Mapping[str, Mapping[str, Any]]) -> set[str]:
        found: set[str] = set()
        for name in names:
            if name not in groups:
                raise SourceError(f"there is no security group {name}")
            for rule in groups[name].get("IpPermissions") or ():
                found |= {str(item["CidrIp"]) for item in rule.get("IpRanges") or ()}
                found |= {str(item["CidrIpv6"]) for item in rule.get("Ipv6Ranges") or ()}
                found |= {str(item["PrefixListId"]) for item in rule.get("PrefixListIds") or ()}
                found |= {str(item["GroupId"]) for item in rule.get("UserIdGroupPairs") or ()}
        return found
