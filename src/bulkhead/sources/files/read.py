"""A folder or a file into a Snapshot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Gap, Resource, Snapshot
from bulkhead.formats.recognise import format_by_name, hides
from bulkhead.formats.shapes import context
from bulkhead.sources.files import charts, overlays
from bulkhead.sources.files.model import LIMITS, Found, Limits, Renderer, Walked
from bulkhead.sources.files.parse import parse
from bulkhead.sources.files.walk import walk

if TYPE_CHECKING:
    from bulkhead.formats.hcl.model import Block
    from bulkhead.formats.hcl.scope import Scope

_PIECE = 65536


def read(
    root: Path | str,
    *,
    limits: Limits = LIMITS,
    helm: Renderer = Renderer.AUTO,
    kustomize: Renderer = Renderer.AUTO,
) -> Snapshot:
    """Everything below ``root`` that is ours to judge, and what could not be read.

    Args:
        root: a folder, or one file.
        limits: what the reading may take.
        helm: whether ``helm template`` renders the charts of the tree.
        kustomize: whether ``kustomize build`` or ``kubectl kustomize`` renders its overlays.

    Raises:
        SourceError: there is nothing at ``root``.
    """
    top = Path(root)
    if not top.exists():
        raise SourceError("there is no such file or folder", where=str(root))
    if not top.is_dir():
        form = format_by_name(top.name) or "yaml"
        return _files(top.parent, Walked((Found(top.resolve(), top.name, form),), (), (), (), ()), limits)
    walked = walk(top, limits)
    charted = charts.read(top, walked, limits, helm)
    overlaid = overlays.read(top, walked, limits, kustomize)
    left_out = charted.covers | overlaid.covers
    plain = tuple(
        found for found in walked.files if found.relative not in left_out and not charts.inside(found.relative, charted)
    )
    snapshot = _files(top, Walked(plain, (), (), walked.gaps, walked.notes), limits)
    return snapshot.merged(charted.snapshot).merged(overlaid.snapshot)


def tried(root: Path | str, changes: Mapping[str, bytes], *, limits: Limits = LIMITS) -> Snapshot:
    """What the files of a tree would hold with these bytes. Of the tree only what a changed file concerns is opened:
    Terraform files beside it, whose variables say what it means, and Dockerfiles beside an ignore file.
    """
    top = Path(root)
    top = top.parent if top.is_file() else top
    snapshot = Snapshot()
    scopes: dict[str, Scope] = {}
    for path, data in sorted({**_concerned(top, changes, limits), **changes}.items()):
        scope = None
        if format_by_name(path) == "hcl":
            folder = path.rpartition("/")[0]
            if folder not in scopes:
                scopes[folder] = _scope(_beside(top, folder, changes, limits))
            scope = scopes[folder]
        one = parse(path, data, scope=scope)
        context.tell(path, one.resources, lambda name: name in changes or (top / name).is_file())
        snapshot = snapshot.merged(one)
    return snapshot


def _concerned(top: Path, changes: Mapping[str, bytes], limits: Limits) -> dict[str, bytes]:
    """The Dockerfiles that a changed ignore file is for, as they are."""
    found: dict[str, bytes] = {}
    for path in changes:
        relative = path.removesuffix(context.IGNORE)
        if relative == path or relative in changes or format_by_name(relative) != "dockerfile":
            continue
        file = top / relative
        if file.resolve().is_relative_to(top.resolve()):
            # What cannot be read is a gap of the scan already.
            data = _bytes(Found(file, relative, "dockerfile"), limits, [])
            if data is not None:
                found[relative] = data
    return found


def _beside(top: Path, folder: str, changes: Mapping[str, bytes], limits: Limits) -> list[tuple[Found, bytes]]:
    """The Terraform files of one folder, changed ones with their new bytes."""
    names = {path for path in changes if path.rpartition("/")[0] == folder and format_by_name(path) == "hcl"}
    if top.is_dir() and (top / folder).is_dir():
        names |= {f"{folder}/{file.name}" if folder else file.name for file in (top / folder).glob("*.tf")}
    files = []
    for name in sorted(names):
        found = Found(top / name, name, "hcl")
        # What cannot be read is a gap of the scan already.
        data = changes.get(name) or _bytes(found, limits, [])
        if data is not None:
            files.append((found, data))
    return files


def _files(base: Path, walked: Walked, limits: Limits) -> Snapshot:
    resources: list[Resource] = []
    gaps: list[Gap] = list(walked.gaps)
    total = 0
    terraform: dict[str, list[tuple[Found, bytes]]] = {}
    for number, found in enumerate(walked.files):
        data = _bytes(found, limits, gaps)
        if data is None:
            continue
        total += len(data)
        if total > limits.total_size:
            rest = len(walked.files) - number
            gaps.append(
                Gap(
                    where=found.relative,
                    code="B210",
                    reason=f"the tree holds too many bytes; {rest} files were not read",
                )
            )
            break
        if found.format == "hcl":
            terraform.setdefault(found.relative.rpartition("/")[0], []).append((found, data))
            continue
        one = parse(found.relative, data)
        context.tell(found.relative, one.resources, lambda name: (base / name).is_file())
        resources += one.resources
        gaps += one.gaps
    for files in terraform.values():
        scope = _scope(files)
        for found, data in files:
            one = parse(found.relative, data, scope=scope)
            resources += one.resources
            gaps += one.gaps
    return Snapshot(tuple(resources), tuple(gaps), walked.notes)


def _scope(files: list[tuple[Found, bytes]]) -> Scope:
    """What the blocks of one Terraform folder make known to each other; a file too large for us leaves its own unknown."""
    from bulkhead.formats.hcl.load import load as load_hcl
    from bulkhead.formats.hcl.scope import Scope, concerns, scope_of

    blocks: list[Block] = []
    for _, data in files:
        if b"variable" in data or b"locals" in data or b"aws_iam_policy_document" in data:
            blocks += [block for block in load_hcl(data, scope=Scope()).documents if concerns(block)]
    return scope_of(blocks)


def _bytes(found: Found, limits: Limits, gaps: list[Gap]) -> bytes | None:
    """The file's bytes; None and a gap when they cannot be had. A file that grows while we read is refused too."""
    reason, code = "", "B200"
    try:
        # A pipe or a link put in the file's place between the walk and now must not hold us or lead us out.
        handle = os.open(found.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            data = _read(handle, limits.file_size)
        finally:
            os.close(handle)
        if data is not None:
            return data
        reason, code = f"the file has more than {limits.file_size} bytes", "B210"
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or type(error).__name__}"
    gaps.append(Gap(where=found.relative, code=code, reason=reason, hides=hides(found.relative, found.format)))
    return None


def _read(handle: int, most: int) -> bytes | None:
    """All of an open file; None when it is larger than that. A file may grow, and some say nothing of their size."""
    size = os.fstat(handle).st_size
    if size > most:
        return None
    parts: list[bytes] = []
    total = 0
    while part := os.read(handle, max(size + 1 - total, 1) if total <= size else _PIECE):
        parts.append(part)
        total += len(part)
        if total > most:
            return None
    return parts[0] if len(parts) == 1 else b"".join(parts)
