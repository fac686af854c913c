"""What the user data of an EC2 instance tells its ECS agent: the script or the settings that the machine starts with.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bootstrap_container_instance.html and, for Bottlerocket, its
``settings.ecs``. User data may hold secrets, so only the settings that are named here leave this module.
"""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
import zlib
from typing import Any, Final

from bulkhead.core.errors import SourceError

_WHERE: Final = "agentConfiguration"
_SIZE: Final = 256 * 1024
"""Bytes: EC2 takes 16 KiB, which may be compressed."""
_NAMED: Final = frozenset({
    "ECS_CLUSTER", "ECS_AWSVPC_BLOCK_IMDS", "ECS_ENABLE_TASK_IAM_ROLE", "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST",
    "ECS_DISABLE_PRIVILEGED", "ECS_SELINUX_CAPABLE", "ECS_APPARMOR_CAPABLE", "ECS_IMAGE_PULL_BEHAVIOR", "ECS_ENABLE_CONTAINER_METADATA",
})  # fmt: skip
_LINE: Final = re.compile(r"\b(ECS_[A-Z0-9_]{1,60})[ \t]*=[ \t]*(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"'>|;&\\]*)")
_BOTTLEROCKET: Final = {
    "cluster": "ECS_CLUSTER", "awsvpc-block-imds": "ECS_AWSVPC_BLOCK_IMDS", "image-pull-behavior": "ECS_IMAGE_PULL_BEHAVIOR",
    "enable-container-metadata": "ECS_ENABLE_CONTAINER_METADATA",
}  # fmt: skip
_FILE: Final = "ecs.config"
_OPENS: Final = frozenset({"if", "case", "for", "while", "until"})
_CLOSES: Final = frozenset({"fi", "esac", "done"})


def agent_settings(encoded: str) -> dict[str, str]:
    """The agent's settings as the machine was started with them.

    Args:
        encoded: the user data in base64, as EC2 hands it out; compressed by gzip or not.

    Raises:
        SourceError: it does not tell them: there is none, it is none that is understood, or the settings come from elsewhere.
    """
    text = _text(encoded)
    settings = _bottlerocket(text)
    if settings is not None:
        return settings
    if _FILE not in text:
        raise SourceError(
            "the user data of the instance writes no settings of the agent: they come from its image or from elsewhere",
            where=_WHERE,
            hint="write them to /etc/ecs/ecs.config in the user data",
        )
    found: dict[str, str] = {}
    depth = 0
    # printf writes its lines with these two characters.
    for line in text.replace("\\n", "\n").splitlines():
        word = line.split(maxsplit=1)[0] if line.split() else ""
        depth += (word in _OPENS) - (word in _CLOSES)
        if word.startswith("#"):
            continue
        for name, value in _LINE.findall(line):
            if name in _NAMED and (depth > 0 or "$" in value or "&&" in line or "||" in line):
                raise SourceError(f"whether the user data sets {name} is decided when it runs", where=_WHERE)
            # What is written last holds.
            found[name] = value.strip("\"'")
    return {name: value for name, value in sorted(found.items()) if name in _NAMED}


def _text(encoded: str) -> str:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise SourceError("the user data of the instance is not base64", where=_WHERE) from None
    if data.startswith(b"\x1f\x8b"):
        opened = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            data = opened.decompress(data, _SIZE)
        except zlib.error:
            raise SourceError("the user data of the instance is broken", where=_WHERE) from None
        if opened.unconsumed_tail:
            raise SourceError(f"the user data of the instance has more than {_SIZE} bytes", where=_WHERE)
    if not data:
        raise SourceError(
            "the instance was started without user data: the agent's settings come from its image or from elsewhere",
            where=_WHERE,
        )
    try:
        return data[:_SIZE].decode()
    except UnicodeDecodeError:
        raise SourceError("the user data of the instance is no text", where=_WHERE) from None


def _bottlerocket(text: str) -> dict[str, str] | None:
    """Bottlerocket's words (https://bottlerocket.dev/en/os/latest/api/settings/ecs/) in the agent's own; None where it is no TOML."""
    try:
        settings: Any = tomllib.loads(text).get("settings")
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    told = settings.get("ecs") if isinstance(settings, dict) else None
    if not isinstance(told, dict):
        raise SourceError("the settings in the user data say nothing of ECS", where=_WHERE)
    found = {_BOTTLEROCKET[key]: _word(value) for key, value in told.items() if key in _BOTTLEROCKET}
    if isinstance(privileged := told.get("allow-privileged-containers"), bool):
        found["ECS_DISABLE_PRIVILEGED"] = _word(not privileged)
    return dict(sorted(found.items()))


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
