"""A bounded walk in a fixed order.

Left out, because what is in them is not this project's to deploy: version control (``.git``, ``.hg``, ``.svn``),
package and tool caches (``node_modules``, ``.venv``, ``venv``, ``__pycache__``, ``.tox``, ``.terraform``,
``.terragrunt-cache``, ``.mypy_cache``, ``.ruff_cache``, ``.pytest_cache``) and Go's ``vendor`` beside a ``go.mod``.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from bulkhead.core.resource import Gap
from bulkhead.formats.recognise import format_by_name, hides
from bulkhead.sources.files.model import Found, Limits, Walked

_SKIPPED: Final = frozenset(
    (
        ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".terraform",
        ".terragrunt-cache", ".mypy_cache", ".ruff_cache", ".pytest_cache",
    )
)  # fmt: skip
OVERLAY_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class _Walk:
    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = root
        self.real = os.path.realpath(root)
        self.limits = limits
        self.files: list[Found] = []
        self.charts: list[str] = []
        self.overlays: list[str] = []
        self.gaps: list[Gap] = []
        self.notes: list[str] = []
        self.entries = 0
        self.full = False


def walk(root: Path, limits: Limits) -> Walked:
    """Files of ours below ``root``, sorted by path."""
    walk_ = _Walk(root, limits)
    pending: list[tuple[str, int]] = [("", 0)]
    while pending and not walk_.full:
        folder, depth = pending.pop()
        pending += [(name, depth + 1) for name in reversed(_folder(walk_, folder, depth))]
    walk_.files.sort(key=lambda found: found.relative)
    return Walked(
        tuple(walk_.files),
        tuple(sorted(walk_.charts)),
        tuple(sorted(walk_.overlays)),
        tuple(walk_.gaps),
        tuple(walk_.notes),
    )


def _folder(walk_: _Walk, folder: str, depth: int) -> list[str]:
    below: list[str] = []
    if depth > walk_.limits.depth:
        walk_.gaps.append(Gap(where=folder, code="B210", reason=f"folders are nested deeper than {walk_.limits.depth}"))
        return below
    try:
        with os.scandir(walk_.root / folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        walk_.gaps.append(Gap(where=folder or ".", code="B200", reason=_reason("the folder cannot be read", error)))
        return below
    names = {entry.name for entry in entries}
    if "Chart.yaml" in names:
        walk_.charts.append(folder)
    if names.intersection(OVERLAY_NAMES):
        walk_.overlays.append(folder)
    for entry in entries:
        walk_.entries += 1
        if walk_.entries > walk_.limits.entries or len(walk_.files) >= walk_.limits.files:
            walk_.full = True
            walk_.gaps.append(
                Gap(where=folder or ".", code="B210", reason="the tree has more files than one reading may look at")
            )
            break
        if entry.name in _SKIPPED or (entry.name == "vendor" and "go.mod" in names):
            continue
        relative = f"{folder}/{entry.name}" if folder else entry.name
        if _is_folder(walk_, entry, relative):
            below.append(relative)
    return below


def _is_folder(walk_: _Walk, entry: os.DirEntry[str], relative: str) -> bool:
    """Whether to go into the entry; a file of ours is taken down on the way."""
    form = format_by_name(relative)
    try:
        if entry.is_symlink():
            return _link(walk_, entry, relative, form)
        if entry.is_dir():
            return True
        mode = entry.stat(follow_symlinks=False).st_mode if form else 0
    except OSError as error:
        _gap(walk_, relative, form, _reason("the entry cannot be looked at", error))
        return False
    if form:
        _take(walk_, Path(entry.path), relative, form, mode)
    return False


def _link(walk_: _Walk, entry: os.DirEntry[str], relative: str, form: str) -> bool:
    target = os.path.realpath(entry.path)
    inside = target == walk_.real or target.startswith(walk_.real.rstrip("/") + "/")
    try:
        mode = os.stat(target).st_mode  # noqa: PTH116 (realpath is a text)
    except OSError as error:
        if form:
            _gap(walk_, relative, form, _reason("the link leads nowhere", error))
        return False
    folder = stat.S_ISDIR(mode)
    if not inside:
        if folder or form:
            _gap(walk_, relative, form or "yaml", "the link leaves the scanned tree and is not followed")
        return False
    if folder:
        # What the link leads to is in the tree and is read there.
        walk_.notes.append(f"{relative}: link to a folder of the tree, read where it stands")
        return False
    if form:
        _take(walk_, Path(target), relative, form, mode)
    return False


def _take(walk_: _Walk, path: Path, relative: str, form: str, mode: int) -> None:
    if stat.S_ISREG(mode):
        walk_.files.append(Found(path, relative, form))
    else:
        _gap(walk_, relative, form, "it is not a plain file")


def _gap(walk_: _Walk, relative: str, form: str, reason: str) -> None:
    walk_.gaps.append(Gap(where=relative, code="B200", reason=reason, hides=hides(relative, form)))


def _reason(what: str, error: OSError) -> str:
    return f"{what}: {error.strerror or type(error).__name__}"
