"""A ``.dockerignore``: what no build needs and no image may hold stays out of what the builder is given."""

from __future__ import annotations

from typing import Any

from bulkhead.formats.shapes.context import beside
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Verdict

# Keys and settings with credentials. Certificates, package settings and installed packages stay: builds may need them.
_SECRETS = (
    "**/.env", "**/.env.*", "!**/.env.example", "!**/.env.sample", "!**/.env.template", "**/*.key", "**/id_rsa*",
    "**/id_ecdsa*", "**/id_ed25519*", "**/.ssh", "**/.aws", "**/.kube", "**/.docker", "**/*.tfstate*",
)  # fmt: skip
_HISTORY = ("**/.git", "**/.hg", "**/.svn")


def ignore(verdict: Verdict) -> tuple[str, bytes]:
    """The path and the bytes. The history of the sources stays where the build asks for it.

    Raises:
        DoesNotApply: there is no file to stand beside.
    """
    resource = verdict.element.resource
    if resource.text is None or resource.text.generated:
        raise DoesNotApply("the resource has no file to repair")
    lines = [f"# Written by bulkhead: {verdict.runnable.control.title}", *_SECRETS]
    if not _asks_for_history(resource.data):
        lines += _HISTORY
    return beside(resource.text.path)[1], ("\n".join(lines) + "\n").encode()


def _asks_for_history(data: Any) -> bool:
    """Whether an instruction runs git or names its folder."""
    for instruction in data.get("instructions", ()):
        named = any(".git" in str(source) for source in instruction.get("sources") or ())
        if named or any(command.get("name") in ("git", "hg", "svn") for command in instruction.get("effective") or ()):
            return True
    return False
