"""What a package manager's command installs, and whether each name is bound to a version."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bulkhead.formats.dockerfile.commands import flags, operands

Entry = dict[str, Any]

_PIP_VALUES = frozenset(
    [
        "abi",
        "b",
        "build",
        "e",
        "editable",
        "extra-index-url",
        "f",
        "find-links",
        "i",
        "index-url",
        "implementation",
        "no-binary",
        "only-binary",
        "platform",
        "prefix",
        "progress-bar",
        "proxy",
        "python",
        "python-version",
        "root",
        "root-user-action",
        "src",
        "t",
        "target",
        "trusted-host",
        "upgrade-strategy",
    ],
)
_VCS = re.compile(r"(?:git|hg|svn|bzr)(?:\+[a-z-]+)?(?:[@:]|$)")
_PIP_SYMBOLS = ("==", ">=", "<=", ">", "<", "!=", "~=")
_RPM_VERSION = re.compile(r"[0-9A-Za-z.~^_:+]*\Z")
_DNF_ACTIONS = frozenset({"install", "in", "upgrade", "up", "upgrade-minimal", "up-min", "reinstall", "rei"})
_MANAGERS = frozenset(
    {"apt-get", "apt", "aptitude", "apk", "yum", "dnf", "microdnf", "zypper", "npm", "gem", "go", "yarn"}
)


def describe(entry: Entry, variables: frozenset[str]) -> None:
    """Add ``manager``, ``install`` (whether it installs) and ``packages`` to a package manager's command."""
    name = entry["name"]
    pip = _pip_arguments(entry)
    if pip is not None:
        entry["manager"] = "pip"
        entry["install"] = True
        entry["packages"] = _named(_pip_names(pip), _pip_pinned)
        entry["requirements"] = _pip_requirements(entry["argv"][1:])
        return
    if name not in _MANAGERS:
        return
    entry["manager"] = {"microdnf": "dnf", "apt": "apt-get", "aptitude": "apt-get"}.get(name, name)
    reader = _READERS.get(name)
    found = reader(entry, variables) if reader else None
    entry["install"] = found is not None
    entry["packages"] = found or []


def _named(names: list[str], pinned: Callable[[str], bool]) -> list[Entry]:
    return [{"name": name, "pinned": pinned(name)} for name in names]


def _has(entry: Entry, *words: str) -> bool:
    return any(word in entry["argv"][1:] for word in words)


def _apt(entry: Entry, _variables: frozenset[str]) -> list[Entry] | None:
    if not _has(entry, "install"):
        return None
    names = operands(entry["argv"][1:], valued=frozenset({"t", "target-release"}))
    return _named(
        [name for name in names if name != "install"],
        lambda name: "=" in name or "/" in name or name.endswith(".deb"),
    )


def _apk(entry: Entry, _variables: frozenset[str]) -> list[Entry] | None:
    if not _has(entry, "add"):
        return None
    names = operands(entry["argv"][1:], valued=frozenset({"t", "virtual", "repository", "X"}))
    return _named(
        [name for name in names if name != "add"],
        lambda name: any(sign in name for sign in "=~<>") or name.endswith(".apk"),
    )


def _rpm(entry: Entry, variables: frozenset[str]) -> list[Entry] | None:
    module = _has(entry, "module")
    if entry["name"] != "yum" and not module and _has(entry, "group"):
        return []
    if not _has(entry, "install"):
        return [] if entry["name"] != "yum" and not _DNF_ACTIONS.isdisjoint(entry["argv"][1:]) else None
    names = [name for name in entry["words"] if name not in ("install", "module")]
    if module:
        return _named(names, lambda name: ":" in name)
    return _named(names, lambda name: _rpm_pinned(name, variables))


def _rpm_pinned(name: str, variables: frozenset[str]) -> bool:
    parts = name.split("-")
    if len(parts) <= 1:
        return False
    if name.endswith(".rpm"):
        return True
    if "$" in name:
        return any(f"${{{variable}}}" in name for variable in variables)
    rest = parts[1:]
    return all(_RPM_VERSION.match(part) for part in rest) and any(part[:1].isdigit() for part in rest)


def _zypper(entry: Entry, _variables: frozenset[str]) -> list[Entry] | None:
    if not _has(entry, "install", "in"):
        return None
    return _named(
        [name for name in entry["words"] if name not in ("install", "in")],
        lambda name: any(sign in name for sign in "=<>") or name.endswith(".rpm"),
    )


def _npm(entry: Entry, _variables: frozenset[str]) -> list[Entry] | None:
    names = operands(entry["argv"][1:], valued=frozenset({"loglevel", "registry"}))
    if not names or names[0] != "install":
        return None
    while names and names[0] == "install":
        names = names[1:]
    return _named(names, _npm_pinned)


def _npm_pinned(name: str) -> bool:
    if name.startswith(("git://", "git+ssh://", "git+http://", "git+https://")):
        return "#" in name
    if name.endswith((".tar", ".tar.gz", ".tgz")) or name.startswith(("/", "./", "../", "~/")):
        return True
    return "@" in name.removeprefix("@")


def _gem(entry: Entry, _variables: frozenset[str]) -> list[Entry] | None:
    args = entry["argv"][1:]
    if not _has(entry, "install", "i"):
        return None
    if _has(entry, "-v", "--version") or any(arg.startswith("--version=") for arg in args):
        return []
    names, skip = [], False
    for arg in args[: args.index("--") if "--" in args else len(args)]:
        if skip:
            skip = False
        elif arg.startswith("-"):
            skip = True
        elif arg not in ("install", "i"):
            names.append(arg)
    return _named(names, lambda name: ":" in name)


def _go(entry: Entry, _variables: frozenset[str]) -> list[Entry] | None:
    words = entry["words"]
    if _has(entry, "run"):
        names = [word for word in words[:2] if word != "run"]
    elif _has(entry, "install", "get"):
        names = [word for word in words if word not in ("install", "get", "tool")]
    else:
        return None
    return _named(names, _go_pinned)


def _go_pinned(name: str) -> bool:
    return name.startswith((".", "/")) or ("@" in name and not name.endswith(("@latest", "@none")))


def _pip_arguments(entry: Entry) -> list[str] | None:
    name, args = entry["name"], entry["argv"][1:]
    if name.startswith("pip") and not name.startswith("pipenv") and "install" in args:
        return list(args)
    if name.startswith("python"):
        for index in range(len(args) - 2):
            if args[index : index + 3] == ["-m", "pip", "install"]:
                return list(args)
    return None


def _pip_names(args: list[str]) -> list[str]:
    names = operands(args, valued=_PIP_VALUES)
    names = names[names.index("install") :] if "install" in names else []
    while names and names[0] == "install":
        names = names[1:]
    return names


def _pip_pinned(name: str) -> bool:
    match = _VCS.match(name)
    if match:
        return "@" in name or any(sign in name for sign in _PIP_SYMBOLS)
    return (
        "/" in name
        or name.startswith(".")
        or name.endswith((".whl", ".tar.gz"))
        or any(sign in name for sign in _PIP_SYMBOLS)
    )


def _pip_requirements(args: list[str]) -> bool:
    """Whether names come from a file, a constraint or the folder itself."""
    given = flags(args)
    return any(arg in ("--requirement", "-r", ".") for arg in args) or "constraint" in given or "c" in given


_READERS: dict[str, Callable[[Entry, frozenset[str]], list[Entry] | None]] = {
    "apt-get": _apt,
    "apt": _apt,
    "aptitude": _apt,
    "apk": _apk,
    "yum": _rpm,
    "dnf": _rpm,
    "microdnf": _rpm,
    "zypper": _zypper,
    "npm": _npm,
    "gem": _gem,
    "go": _go,
}
