"""Kustomize overlays, rendered beside the plain files they are made from.

The plain objects stay: they are what can be repaired. An overlay that no other one uses is rendered too, under the
origin ``kustomize:<folder>``, without network, plug-ins or files outside its own tree. Patches are parts of objects
and are not judged by themselves where an overlay that was rendered applies them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bulkhead.core.errors import BulkheadError, SourceError
from bulkhead.core.resource import Gap, Snapshot, Text
from bulkhead.formats.model import BOUNDS
from bulkhead.formats.recognise import of_text
from bulkhead.sources.files.charts import Rendered
from bulkhead.sources.files.model import Limits, Renderer, Walked
from bulkhead.sources.files.walk import OVERLAY_NAMES

_USES: Final = ("resources", "bases", "components", "crds", "generators", "transformers", "validators")
_REMOTE: Final = ("://", "git@", "?ref=", "github.com/", "gitlab.com/", "bitbucket.org/")


def read(root: Path, walked: Walked, limits: Limits, kustomize: Renderer) -> Rendered:
    """All overlays of the tree that no other overlay uses."""
    known = {folder: _document(root, folder) for folder in walked.overlays}
    used = {target for folder, document in known.items() for target in _targets(folder, document)}
    tops = [folder for folder, document in known.items() if folder not in used and document.get("kind") != "Component"]
    circles = _circles(known, tops)
    if not tops:
        return Rendered(circles)
    from bulkhead.sources.files import render

    program = render.program("kustomize", "kubectl") if kustomize is Renderer.AUTO else ""
    snapshot = circles
    covers: set[str] = set()
    for folder in tops:
        one = _rendered(root, folder, known, program, limits)
        snapshot = snapshot.merged(one)
        if not one.gaps:
            for part in _tree(folder, known):
                covers |= set(_patches(part, known[part]))
    return Rendered(snapshot, frozenset(covers))


def _rendered(root: Path, folder: str, known: dict[str, dict[str, Any]], program: str, limits: Limits) -> Snapshot:
    where = folder or "."
    remote = next((use for part in _tree(folder, known) for use in _uses(known[part]) if _is_remote(use)), "")
    if remote:
        reason = f"the overlay takes {remote.partition('?')[0]} from a network, which is not read"
        return _unrendered(where, "kustomize-remote", reason, "scan the output of kustomize build")
    if not program:
        hint = "install kustomize or kubectl"
        return _unrendered(
            where, "kustomize-missing", "the overlay was not rendered; its files were read plainly", hint
        )
    from bulkhead.sources.files import render

    verb = ["kustomize"] if Path(program).name == "kubectl" else ["build"]
    try:
        command = [program, *verb, "--load-restrictor", "LoadRestrictionsRootOnly", "."]
        data = render.output(command, root / folder, limits)
    except SourceError as error:
        return _unrendered(where, error.code, error.message, "run kustomize build by hand")
    if len(data) > BOUNDS.size:
        return _unrendered(where, "B210", f"the overlay renders to more than {BOUNDS.size} bytes", "")
    text = Text(path=where, format="yaml", data=data, generated="kustomize")
    one = of_text(text, origin=f"kustomize:{where}")
    return Snapshot(one.resources, one.gaps, (f"{where}: overlay rendered beside its plain files",))


def _unrendered(where: str, code: str, reason: str, hint: str) -> Snapshot:
    return Snapshot(gaps=(Gap(where=where, code=code, reason=reason, hint=hint),))


def _document(root: Path, folder: str) -> dict[str, Any]:
    """The kustomization of a folder; empty when it cannot be read, of which rendering will complain."""
    from bulkhead.formats import yamltext

    for name in OVERLAY_NAMES:
        path = root / folder / name
        try:
            if path.is_file() and path.stat().st_size <= BOUNDS.size:
                documents = yamltext.load(path.read_bytes()).documents
                return documents[0] if documents and isinstance(documents[0], dict) else {}
        except (OSError, BulkheadError):
            return {}
    return {}


def _uses(document: dict[str, Any]) -> Iterator[str]:
    for name in _USES:
        value = document.get(name)
        yield from (item for item in (value if isinstance(value, list) else ()) if isinstance(item, str))
    if document.get("helmCharts"):
        yield "helmCharts://"


def _is_remote(use: str) -> bool:
    return "\n" not in use and any(mark in use for mark in _REMOTE)


def _targets(folder: str, document: dict[str, Any]) -> Iterator[str]:
    for use in _uses(document):
        if not _is_remote(use) and "\n" not in use:
            target = posixpath.normpath(posixpath.join(folder, use))
            yield "" if target == "." else target


def _tree(folder: str, known: dict[str, dict[str, Any]]) -> list[str]:
    """The overlay and all that it is made from, as far as it stands in the tree."""
    seen, rest = {folder}, [folder]
    while rest:
        here = rest.pop()
        for target in _targets(here, known[here]):
            if target in known and target not in seen:
                seen.add(target)
                rest.append(target)
    return sorted(seen)


def _circles(known: dict[str, dict[str, Any]], tops: list[str]) -> Snapshot:
    """Overlays that only others of the same circle use: nothing renders them, so each is a gap."""
    reached = {part for top in tops for part in _tree(top, known)}
    left = [
        folder for folder, document in known.items() if folder not in reached and document.get("kind") != "Component"
    ]
    gaps = (
        _unrendered(folder or ".", "kustomize-circle", "the overlay is made from itself", "").gaps for folder in left
    )
    return Snapshot(gaps=tuple(gap for some in gaps for gap in some))


def _patches(folder: str, document: dict[str, Any]) -> Iterator[str]:
    for name in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        value = document.get(name)
        for item in value if isinstance(value, list) else ():
            path = item.get("path") if isinstance(item, dict) else item
            if isinstance(path, str) and "\n" not in path:
                yield posixpath.normpath(posixpath.join(folder, path))
