"""Metadata options of EC2 instances, each put back to what it had itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bulkhead.app.worlds import Progress
from bulkhead.clients.cloud import described
from bulkhead.clients.cloud.described import Caller
from bulkhead.core.errors import Conflict


async def put(client: Caller, names: Iterable[str], options: Mapping[str, Any]) -> None:
    for name in names:
        await client.call(
            "ec2", "modify_instance_metadata_options", InstanceId=name,
            HttpTokens=str(options["httpTokens"]), HttpPutResponseHopLimit=int(options["httpPutResponseHopLimit"]),
        )  # fmt: skip


async def tighten(client: Caller, group: Mapping[str, Any], wanted: Mapping[str, Any], progress: Progress) -> None:
    """All instances of a node group that are not so yet; what each had is kept first."""
    options = wanted["metadataOptions"]
    found = {name: _of(item) for name, item in (await described.members(client, group)).items()}
    former = {name: item for name, item in found.items() if item != options}
    progress.note(former=former)
    await put(client, former, options)


async def put_back(client: Caller, group: Mapping[str, Any], before: Mapping[str, Any], progress: Progress) -> None:
    """Each instance to what it had; one that is gone stays gone, one that somebody changed since is left alone.

    Raises:
        Conflict: an instance is neither what it was nor what was written.
    """
    known = progress.known()
    former, written = known.get("former") or {}, known.get("wanted") or {}
    found = {name: _of(item) for name, item in (await described.members(client, group)).items()}
    for name, options in former.items():
        if name in found and found[name] not in (
            options,
            written.get("metadataOptions"),
            before.get("metadataOptions"),
        ):
            raise Conflict("somebody else changed the instance since", where=name)
    for name, options in former.items():
        if name in found and found[name] != options:
            await put(client, [name], options)


def _of(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "httpTokens": str(item.get("HttpTokens") or "optional"),
        "httpPutResponseHopLimit": int(item.get("HttpPutResponseHopLimit") or 1),
    }
