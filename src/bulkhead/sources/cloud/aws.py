"""One AWS account in one region into a Snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from bulkhead.clients.cloud.described import Caller
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import UNKNOWN, Snapshot
from bulkhead.sources.cloud import ecr, ecs, eks, iam, identities, running
from bulkhead.sources.cloud.account import Account
from bulkhead.sources.cloud.layers import Layers
from bulkhead.sources.cloud.vpc import Networks

_NOT_TOLD = (
    "which registries are approved is told by no API of AWS: name them in the parameter 'approved' of cloud.generic.registry-allow-list",
    "images in clusters of EKS are not seen here: scan the cluster itself",
    "settings of ECS agents are read from the user data that their machines were started with",
    "one region is read, IAM is the account's",
)
_UNREAD = "files of images are not read, so that no check on them can pass (--layers)"


async def read(client: Caller, layers: Layers | None = None) -> Snapshot:
    """Everything of the account that is ours to judge, and what could not be read.

    Args:
        client: open, to the account.
        layers: reads the files of images; None leaves them unread, and what they would tell unknown.

    Raises:
        SourceError: the account does not say who we are there.
    """
    number = str((await client.call("sts", "get_caller_identity")).get("Account") or "")
    if not number:
        raise SourceError("the cloud does not say which account this is", where=f"aws://{client.region}")
    account = Account(client, f"aws://{number}/{client.region}")
    tasks, images, pods, roles = await asyncio.gather(
        ecs.read(account, Networks(client)), ecr.read(account, layers), eks.read(account), iam.read(account)
    )
    account.add("CloudAccount", number, {"observedRegistries": _observed(account, tasks.images)}, uid=number)
    users = {arn: [*tasks.roles.get(arn, ()), *pods.get(arn, ())] for arn in (*tasks.roles, *pods, *roles.federated)}
    await asyncio.gather(
        running.read(account, tasks.running, images, layers), identities.read(account, users, roles.made_at)
    )
    ordered = sorted(
        account.resources, key=lambda item: (item.ref.kind, item.ref.namespace, item.ref.name, item.ref.uid)
    )
    return Snapshot(tuple(ordered), account.gaps, _NOT_TOLD if layers else (*_NOT_TOLD, _UNREAD))


def _observed(account: Account, images: Iterable[str]) -> list[Any]:
    """The registries of what runs; an unknown one where not all is seen: lists that were refused, and what runs in clusters of EKS."""
    clusters = any(item.ref.kind == "EksCluster" for item in account.resources)
    unseen = any({"CloudAccount", "EksCluster"} & set(gap.hides) for gap in account.gaps)
    return [*registries(images), *([UNKNOWN] if clusters or unseen else [])]


def registries(images: Iterable[str]) -> list[str]:
    """The registries of image references; without one it is Docker's."""
    found = set()
    for image in images:
        first, slash, _ = image.partition("/")
        found.add(first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io")
    return sorted(found)
