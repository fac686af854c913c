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
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bulkhead.core.errors import SourceError
from bulkhead.formats import yamltext

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
_FILE: Final = "/etc/ecs/ecs.config"
_NAME_OF_FILE: Final = "ecs.config"
_WRITES: Final = re.compile(r"(?P<way>>>?)[ \t]*[\"']?/etc/ecs/ecs\.config[\"']?(?=[ \t<]|$)")
_HEREDOC: Final = re.compile(r"<<-?[ \t]*[\"']?([A-Za-z_]\w{0,40})[\"']?")
_WRITERS: Final = frozenset({"echo", "printf", "cat"})
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
    found = _of_cloud_config(text) if text.startswith("#cloud-config") else _of_script(text)
    if not found:
        raise SourceError(
            "the user data of the instance writes no settings of the agent: they come from its image or from elsewhere",
            where=_WHERE,
            hint=f"write them to {_FILE} in the user data",
        )
    return {name: value for name, value in sorted(found.items()) if name in _NAMED}


def _of_script(text: str) -> dict[str, str]:
    """What a shell writes into the agent's file by ``echo``, ``printf`` and ``cat``; every other way is not understood."""
    found: dict[str, str] = {}
    depth = 0
    lines = iter(text.splitlines())
    for line in lines:
        for command in line.split(";"):
            word = command.split(maxsplit=1)[0] if command.split() else ""
            depth += (word in _OPENS) - (word in _CLOSES)
            if word.startswith("#"):
                break
            named = any(name in _NAMED for name, _ in _LINE.findall(command))
            if _NAME_OF_FILE not in command and not named:
                continue
            written = _WRITES.search(command)
            if (
                written is None
                or word not in _WRITERS
                or depth > 0
                or any(mark in command for mark in ("&&", "||", "$(", "`"))
            ):
                raise SourceError("how the user data sets the agent up is decided when it runs", where=_WHERE)
            if written["way"] == ">":
                found.clear()
            end = _HEREDOC.search(command)
            if word == "cat" and not end:
                raise SourceError("the user data takes settings of the agent from another file", where=_WHERE)
            said = list(_until(lines, end[1])) if end else command[: written.start()].replace("\\n", "\n").splitlines()
            found.update(_settings(said))
    return found


def _until(lines: Iterator[str], mark: str) -> Iterator[str]:
    """The lines of a document that stands in a script, to its mark."""
    for line in lines:
        if line.strip() == mark:
            return
        yield line
    raise SourceError("the user data of the instance ends in the middle", where=_WHERE)


def _of_cloud_config(text: str) -> dict[str, str]:
    """What cloud-init writes into the agent's file (``write_files``); commands that it runs are not understood."""
    loaded = yamltext.load(text.encode())
    told = loaded.documents[0] if len(loaded.documents) == 1 and not loaded.problems else None
    files = told.get("write_files") if isinstance(told, dict) else None
    if not isinstance(told, dict) or {"runcmd", "bootcmd"} & set(told) or not isinstance(files, list):
        raise SourceError("how the user data sets the agent up is decided when it runs", where=_WHERE)
    found: dict[str, str] = {}
    for item in files:
        if isinstance(item, dict) and item.get("path") == _FILE:
            content = item.get("content")
            if not isinstance(content, str) or item.get("encoding") not in (None, "", "text/plain"):
                raise SourceError("the content of the agent's file is not plain", where=_WHERE)
            if not item.get("append"):
                found.clear()
            found.update(_settings(content.splitlines()))
    return found


def _settings(lines: Iterable[str]) -> dict[str, str]:
    """Settings as the agent's file has them; what is written last holds."""
    found: dict[str, str] = {}
    for line in lines:
        if not line.lstrip().startswith("#"):
            told = _LINE.findall(line)
            if not told and "$" in line:
                raise SourceError("the user data computes settings of the agent when it runs", where=_WHERE)
            for name, value in told:
                if name in _NAMED and "$" in value:
                    raise SourceError(f"the user data computes {name} when it runs", where=_WHERE)
                found[name] = value.strip("\"'")
    return found


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
