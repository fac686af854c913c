"""An ignore file for one Dockerfile: what no build needs and no image may hold stays out of what the builder is given.

1. It is the Dockerfile's own (``Dockerfile.dockerignore``), so no other build changes.
2. What an instruction names, it needs: a pattern that would keep it out is left out.
3. Where a name depends on a variable nobody can tell, and nothing is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from bulkhead.formats.shapes.context import own
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Verdict

# Keys and settings with credentials, each with names that it keeps out. Certificates, package settings and installed
# packages stay: builds may need them.
_PATTERNS = {
    "**/.env": (".env",),
    "**/.env.*": (".env.local", ".env.production", ".env.prod", ".env.test"),
    "**/*.key": ("server.key", "a.key"),
    "**/id_rsa*": ("id_rsa", "id_rsa.pub"),
    "**/id_ecdsa*": ("id_ecdsa",),
    "**/id_ed25519*": ("id_ed25519",),
    "**/.ssh": (".ssh",),
    "**/.aws": (".aws",),
    "**/.kube": (".kube",),
    "**/.docker": (".docker",),
    "**/*.tfstate*": ("terraform.tfstate",),
    "**/.git": (".git",),
    "**/.hg": (".hg",),
    "**/.svn": (".svn",),
}
_HISTORY = {"**/.git": "git", "**/.hg": "hg", "**/.svn": "svn"}
_KEPT = ("!**/.env.example", "!**/.env.sample", "!**/.env.template")
_WHOLE = frozenset({".", "./", "*", "./*", "/"})


def ignore(verdict: Verdict) -> tuple[str, bytes]:
    """The path and the bytes.

    Raises:
        DoesNotApply: there is no file to stand beside, or what the build needs cannot be told.
    """
    resource = verdict.element.resource
    if resource.text is None or resource.text.generated:
        raise DoesNotApply("the resource has no file to repair")
    named = [source for source in _sources(resource.data) if source not in _WHOLE]
    if any("$" in source for source in named):
        raise DoesNotApply("an instruction copies what a variable names; nobody can tell what the build needs")
    programs = {
        str(command.get("name")) for item in _instructions(resource.data) for command in item.get("effective") or ()
    }
    patterns = [
        pattern
        for pattern, names in _PATTERNS.items()
        if _HISTORY.get(pattern) not in programs and not any(_needs(source, pattern, names) for source in named)
    ]
    lines = [f"# Written by bulkhead: {verdict.runnable.control.title}", *patterns]
    lines += _KEPT if "**/.env.*" in patterns else ()
    return own(resource.text.path), ("\n".join(lines) + "\n").encode()


def _instructions(data: Any) -> list[dict[str, Any]]:
    return [item for item in data.get("instructions") or () if isinstance(item, dict)]


def _sources(data: Any) -> Iterator[str]:
    """What COPY and ADD take from the build's folder, and what RUN mounts from it."""
    for item in _instructions(data):
        if item.get("cmd") in ("COPY", "ADD") and "copies" not in item:
            yield from (str(source) for source in item.get("sources") or ())
        for mount in item.get("mounts") or ():
            if isinstance(mount, dict) and not mount.get("from"):
                yield from (str(mount[key]) for key in ("source", "src") if mount.get(key))


def _needs(source: str, pattern: str, names: tuple[str, ...]) -> bool:
    """Whether a part of the named path is what the pattern keeps out; a wildcard may stand for any of its names."""
    glob = pattern.removeprefix("**/")
    return any(
        fnmatchcase(part, glob)
        or (any(mark in part for mark in "*?[") and any(fnmatchcase(name, part) for name in names))
        for part in source.split("/")
        if part not in ("", ".", "*", "**")
    )
