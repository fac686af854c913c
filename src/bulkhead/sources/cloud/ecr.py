"""Repositories of ECR, each with its policies and the newest of its images."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from bulkhead.clients.cloud import described
from bulkhead.core.errors import SourceError
from bulkhead.sources.cloud.account import Account
from bulkhead.sources.cloud.layers import Layers

_KIND = "EcrRepository"
Images = dict[str, list[dict[str, Any]]]


class _Reading(msgspec.Struct):
    """What the parts share: the account, who reads layers (None leaves them unread), and the images of each repository."""

    account: Account
    layers: Layers | None
    images: Images


async def read(account: Account, layers: Layers | None) -> Images:
    """Every repository into the account; what is told of the images of each, without those whose list was refused."""
    items = await account.listed("ecr", "describe_repositories", "repositories", (_KIND,))
    reading = _Reading(account, layers, {})
    await asyncio.gather(*(_repository(reading, item) for item in items))
    return reading.images


async def _repository(reading: _Reading, item: Mapping[str, Any]) -> None:
    name = str(item.get("repositoryName", ""))
    where = f"ecr/{name}"
    data = await reading.account.told(where, _whole(reading, item), _KIND)
    if data is not None:
        reading.account.add(_KIND, name, data, uid=str(data.get("repositoryArn", "")))


async def _whole(reading: _Reading, item: Mapping[str, Any]) -> described.Described:
    name = str(item["repositoryName"])
    made = await described.repository(reading.account.client, item)
    await made.add("latestImage", _newest(reading, name))
    newest = made.data.get("latestImage")
    if newest == {}:
        del made.data["latestImage"]
    elif isinstance(newest, dict) and reading.layers is not None:
        secrets = described.Described(newest)
        await secrets.add("secrets", _secrets(reading, reading.layers, name, str(newest.get("imageDigest"))))
        made.refused += secrets.refused
    return made


async def _newest(reading: _Reading, name: str) -> dict[str, Any]:
    """What the registry says of the image that was pushed last."""
    found = await reading.account.client.collect("ecr", "describe_images", "imageDetails", repositoryName=name)
    if found.cut:
        raise SourceError(f"the newest image is not known: {found.cut}", where="ecr:DescribeImages")
    reading.images[name] = found.items
    return dict(max(found.items, key=lambda image: str(image.get("imagePushedAt", "")), default={}))


async def _secrets(reading: _Reading, layers: Layers, name: str, digest: str) -> list[dict[str, Any]]:
    """Kinds and places of secrets in an image's layers and settings."""
    facts = await layers.read(reading.account.client, name, digest)
    settings = [{"path": f"{item['where']} {item['name']}", "kind": item["kind"]} for item in facts["config_secrets"]]
    return [*facts["files"]["secrets"], *settings]
