"""Images that run, held beside what their tag names in the account's registry today and what became of their base."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from bulkhead.clients.cloud.described import Described
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import UNKNOWN
from bulkhead.sources.cloud.account import Account
from bulkhead.sources.cloud.layers import Layers

_KIND: Final = "DeployedImage"
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
_OURS: Final = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]{1,30})\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/"
    r"(?P<repository>[a-z0-9._/-]{1,256})(?::(?P<tag>[\w.-]{1,128}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_MANIFESTS: Final = [
    "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
]  # fmt: skip
# https://github.com/opencontainers/image-spec/blob/main/annotations.md
_BASE: Final = "org.opencontainers.image.base."

Images = Mapping[str, Sequence[Mapping[str, Any]]]
"""What the registry tells of the images of each repository; a repository whose list was refused is not in it."""


class Running(msgspec.Struct, frozen=True):
    """A container that runs: its image as it was asked for, what was pulled (empty where nothing tells), and who runs it."""

    reference: str
    digest: str
    by: str


async def read(account: Account, running: Iterable[Running], images: Images, layers: Layers | None) -> None:
    """Each image that runs, once, into the account."""
    users: dict[tuple[str, str], set[str]] = {}
    for item in running:
        users.setdefault((item.reference, item.digest), set()).add(item.by)
    await asyncio.gather(*(_image(account, *key, sorted(by), images, layers) for key, by in sorted(users.items())))


async def _image(
    account: Account, reference: str, digest: str, users: list[str], images: Images, layers: Layers | None
) -> None:
    where = f"image/{reference}"
    data = await account.told(where, _whole(account, reference, digest, images, layers), _KIND)
    if data is not None:
        account.add(_KIND, reference, data | {"usedBy": users}, uid=f"{reference}@{digest}")


async def _whole(account: Account, reference: str, digest: str, images: Images, layers: Layers | None) -> Described:
    made = Described({"reference": reference, "digest": digest or UNKNOWN})
    if not digest:
        made.refused.append(SourceError("ECS does not tell which image was pulled", where="digest"))
    await made.add("tagDigest", _tagged(account, reference, digest, images))
    await made.add("baseBehind", _base_behind(account, reference, digest, images))
    if layers is not None:
        await made.add("files", _files(account, layers, reference, digest))
    return made


async def _tagged(account: Account, reference: str, digest: str, images: Images) -> str:
    """The digest that the reference's tag has today: the one that runs, where that is one platform of the tag's index."""
    part = _part(account, reference)
    if part["digest"]:
        return str(part["digest"])
    found = _at(images, str(part["repository"]), str(part["tag"] or "latest"))
    if not digest or found == digest:
        return found
    index = await _manifest(account, str(part["repository"]), found)
    return digest if digest in _members(index) else found


async def _base_behind(account: Account, reference: str, digest: str, images: Images) -> bool:
    """Whether the base that the image names in its annotations is another image by now."""
    part = _part(account, reference)
    if not digest:
        raise SourceError("ECS does not tell which image was pulled", where="baseBehind")
    annotations = (await _manifest(account, str(part["repository"]), digest)).get("annotations") or {}
    name, built_on = (str(annotations.get(_BASE + key) or "") for key in ("name", "digest"))
    if not name or not built_on:
        raise SourceError(
            "the image does not say what it is built on",
            where="baseBehind",
            hint=f"annotate images with {_BASE}name and {_BASE}digest when they are built",
        )
    base = _part(account, name)
    today = _at(images, str(base["repository"]), str(base["tag"] or "latest"))
    if today == built_on:
        return False
    return built_on not in _members(await _manifest(account, str(base["repository"]), today))


async def _files(account: Account, layers: Layers, reference: str, digest: str) -> dict[str, Any]:
    part = _part(account, reference)
    if not digest:
        raise SourceError("ECS does not tell which image was pulled", where="files")
    files = (await layers.read(account.client, str(part["repository"]), digest))["files"]
    return dict(files)


def _part(account: Account, reference: str) -> Mapping[str, str | None]:
    """The parts of a reference to the account's own registry in this region.

    Raises:
        SourceError: it is another registry's.
    """
    match = _OURS.fullmatch(reference)
    number = account.origin.removeprefix("aws://").partition("/")[0]
    if match is None or match["account"] != number or match["region"] != account.client.region:
        raise SourceError(
            f"{reference} is not in this account's registry in this region",
            where="registry",
            hint="ask its registry: bulkhead image scan",
        )
    return match.groupdict()


def _at(images: Images, repository: str, tag: str) -> str:
    if repository not in images:
        raise SourceError(
            f"the images of {repository} are not known",
            where="registry",
            hint="the repository is gone, or its list was refused: that takes the right to ecr:DescribeImages",
        )
    for image in images[repository]:
        if tag in (image.get("imageTags") or ()):
            return str(image.get("imageDigest") or "")
    raise SourceError(f"{repository} has no image with the tag {tag} any more", where="registry")


async def _manifest(account: Account, repository: str, digest: str) -> Mapping[str, Any]:
    answer = await account.client.call(
        "ecr", "batch_get_image",
        repositoryName=repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=_MANIFESTS,
    )  # fmt: skip
    for image in answer.get("images") or ():
        try:
            found = msgspec.json.decode(str(image.get("imageManifest") or ""))
        except msgspec.DecodeError:
            break
        if isinstance(found, dict):
            return found
    raise SourceError(f"the manifest of {repository}@{digest} is not there or not JSON", where="ecr:BatchGetImage")


def _members(manifest: Mapping[str, Any]) -> set[str]:
    return {str(item.get("digest")) for item in manifest.get("manifests") or ()}
