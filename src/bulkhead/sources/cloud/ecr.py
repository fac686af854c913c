"""Repositories of ECR, each with its policies and the newest of its images."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bulkhead.clients.cloud import described
from bulkhead.core.errors import SourceError
from bulkhead.sources.cloud.account import Account

_KIND = "EcrRepository"


async def read(account: Account) -> dict[str, list[dict[str, Any]]]:
    """Every repository into the account; what is told of the images of each, without those whose list was refused."""
    items = await account.listed("ecr", "describe_repositories", "repositories", (_KIND,))
    images: dict[str, list[dict[str, Any]]] = {}
    await asyncio.gather(*(_repository(account, item, images) for item in items))
    return images


async def _repository(account: Account, item: Mapping[str, Any], images: dict[str, list[dict[str, Any]]]) -> None:
    name = str(item.get("repositoryName", ""))
    where = f"ecr/{name}"
    data = await account.told(where, _whole(account, item, images), _KIND)
    if data is not None:
        account.add(_KIND, name, data, uid=str(data.get("repositoryArn", "")))


async def _whole(
    account: Account, item: Mapping[str, Any], images: dict[str, list[dict[str, Any]]]
) -> described.Described:
    made = await described.repository(account.client, item)
    await made.add("latestImage", _newest(account, str(item["repositoryName"]), images))
    if made.data.get("latestImage") == {}:
        del made.data["latestImage"]
    return made


async def _newest(account: Account, name: str, images: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What the registry says of the image that was pushed last; what its layers hold it does not say."""
    found = await account.client.collect("ecr", "describe_images", "imageDetails", repositoryName=name)
    if found.cut:
        raise SourceError(f"the newest image is not known: {found.cut}", where="ecr:DescribeImages")
    images[name] = found.items
    return dict(max(found.items, key=lambda image: str(image.get("imagePushedAt", "")), default={}))
