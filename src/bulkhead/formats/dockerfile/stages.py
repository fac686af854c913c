"""Build stages: what each starts from, and which of the earlier ones."""

from __future__ import annotations

import re
from typing import Any

from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.dockerfile.expand import PLATFORM_ARGUMENTS, expand
from bulkhead.formats.dockerfile.words import unquoted

Json = dict[str, Any]

_ENDS_IN_VARIABLE = re.compile(r"\$(?:\{[^}]*\}|\w+)$")


def parts(image: str) -> Json:
    """Registry, repository, tag and digest of a reference; those that are not written are absent."""
    found: Json = {}
    rest, at, digest = image.partition("@")
    if at:
        found["digest"] = digest
    colon = rest.rfind(":")
    if colon > rest.rfind("/"):
        rest, found["tag"] = rest[:colon], rest[colon + 1 :]
    first, slash, remainder = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        found["registry"], rest = first, remainder
    found["repository"] = rest
    return found


def written_parts(image: str) -> Json:
    """The same for a reference that holds variables, whose own colons are not separators."""
    masked: list[str] = []
    names: list[str] = []
    out, depth = "", 0
    for char in image:
        if char == "{":
            depth += 1
        if depth:
            out += char
        else:
            masked.append(char)
        if char == "}" and depth:
            depth -= 1
            if not depth:
                masked.append(chr(0xE000 + len(names)))
                names.append(out)
                out = ""
    found = parts("".join(masked) + out)
    return {key: _unmask(value, names) for key, value in found.items()}


def _unmask(text: str, names: list[str]) -> str:
    for index, name in enumerate(names):
        text = text.replace(chr(0xE000 + index), name)
    return text


def base(instruction: Json, earlier: list[Json], arguments: dict[str, str | None]) -> Json:
    """What a FROM starts from. ``arguments`` are the ARG values before the first FROM."""
    written = unquoted(instruction["args"][0])
    known = dict.fromkeys(PLATFORM_ARGUMENTS) | arguments
    image, names = expand(written, known)
    found: Json = {"image": written, "variables": sorted(names), "arg": image is None, "scratch": image == "scratch"}
    found["written"] = written_parts(written)
    if "platform" in instruction["flags"]:
        found["platform"] = instruction["flags"]["platform"]
    if image is None:
        # What the text does not say is unknown; what stands written beside the variable is known.
        found["repository"] = UNKNOWN if "$" in found["written"]["repository"] else found["written"]["repository"]
        for key in ("registry", "tag", "digest"):
            value = found["written"].get(key)
            if value is not None:
                found[key] = UNKNOWN if "$" in value else value
            elif found["repository"] is UNKNOWN and _ENDS_IN_VARIABLE.search(written):
                found[key] = UNKNOWN
        return found
    for stage in reversed(earlier):
        if stage.get("name", "").lower() == image.lower():
            found["stage"] = stage["index"]
            break
    return found | parts(image)


def stage(instruction: Json, index: int, earlier: list[Json], arguments: dict[str, str | None]) -> Json:
    """A new stage; its effects are filled in as its instructions are read."""
    found: Json = {
        "index": index,
        "from": instruction["index"],
        "line": instruction["line"],
        "base": base(instruction, earlier, arguments),
        "final": False,
        "instructions": [],
    }
    if len(instruction["args"]) == 3:
        found["name"] = instruction["args"][2]
    return found


def source_stage(name: str, stages: list[Json]) -> int | None:
    """The earlier stage that ``--from`` names, by name or number."""
    for found in reversed(stages):
        if found.get("name", "").lower() == name.lower():
            return int(found["index"])
    if name.isdecimal() and len(name) < 6 and int(name) < len(stages):
        return int(name)
    return None
