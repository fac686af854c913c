"""Users that a stage creates, and the number a name stands for."""

from __future__ import annotations

from typing import Any

# The same in every distribution's base image.
_KNOWN = {"root": "0", "nobody": "65534", "nonroot": "65532"}


def created(effective: list[dict[str, Any]], into: dict[str, str]) -> None:
    """Note the ids that useradd, adduser, groupadd and addgroup of one RUN give; groups are kept as ``:name``."""
    for command in effective:
        options, words = command["options"], command["words"]
        if command["name"] in ("useradd", "adduser"):
            number = options.get("u") or options.get("uid") or ""
        elif command["name"] in ("groupadd", "addgroup"):
            number = options.get("g") or options.get("gid") or ""
        else:
            continue
        names = [word for word in words if not word.isdecimal() and not word.startswith(("/", "$"))]
        if number.isdecimal() and names:
            into[("" if "user" in command["name"] else ":") + names[-1]] = number


def numeric(user: str, known: dict[str, str]) -> str:
    """``user:group`` in numbers, empty when a part is not known or it is numeric already."""
    name, colon, group = user.partition(":")
    number = name if name.isdecimal() else known.get(name) or _KNOWN.get(name, "")
    if not number or (name.isdecimal() and (not group or group.isdecimal())):
        return ""
    if not colon:
        return number
    group_number = group if group.isdecimal() else known.get(":" + group, "")
    return f"{number}:{group_number}" if group_number else ""
