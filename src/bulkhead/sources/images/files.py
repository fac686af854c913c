"""What a tree of files means for security: the sorting of paths into the lists that controls look at."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from typing import Any

from bulkhead.sources.images.tree import Entry

PACKAGE_MANAGERS = frozenset(
    [
        "apt",
        "apt-get",
        "aptitude",
        "dpkg",
        "apk",
        "yum",
        "dnf",
        "microdnf",
        "tdnf",
        "rpm",
        "zypper",
        "pacman",
        "emerge",
        "opkg",
        "pip",
        "pip3",
        "npm",
        "npx",
        "yarn",
        "pnpm",
        "gem",
        "conda",
        "mamba",
        "cargo",
        "go",
        "composer",
        "poetry",
        "uv",
        "bundle",
    ]
)
DEBUG_TOOLS = frozenset(
    [
        "curl",
        "wget",
        "nc",
        "ncat",
        "netcat",
        "socat",
        "telnet",
        "ftp",
        "tftp",
        "tcpdump",
        "tshark",
        "nmap",
        "strace",
        "ltrace",
        "gdb",
        "lldb",
        "perf",
        "bpftrace",
        "ssh",
        "scp",
        "sftp",
        "rsync",
        "dig",
        "nslookup",
        "host",
        "ping",
        "gcc",
        "g++",
        "cc",
        "make",
        "ld",
        "as",
        "vim",
        "vi",
        "nano",
    ]
)
SHELLS = frozenset(["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "csh", "tcsh", "fish", "busybox", "toybox"])
_FOLDERS = frozenset(
    [
        "bin",
        "sbin",
        "usr/bin",
        "usr/sbin",
        "usr/local/bin",
        "usr/local/sbin",
        "opt/conda/bin",
        "usr/local/go/bin",
        "usr/lib/git-core",
    ]
)
_CACHES = (
    "var/cache/apt/archives/",
    "var/lib/apt/lists/",
    "var/cache/apk/",
    "lib/apk/db/cache/",
    "var/cache/yum/",
    "var/cache/dnf/",
    "var/cache/zypp/",
    "var/cache/pacman/pkg/",
    "root/.cache/pip/",
    "root/.npm/",
    "root/.cache/yarn/",
    "usr/local/share/.cache/yarn/",
    "root/.cache/go-build/",
    "root/.cargo/registry/",
)
# What Debian's base image itself leaves in those folders.
_NO_CACHE = frozenset({"lock", "partial"})
_UNNEEDED = (".git", ".svn", ".hg", "__pycache__", ".github", ".idea", ".vscode", ".terraform")


def sort_files(entries: Mapping[str, Entry], limit: int) -> dict[str, Any]:
    """The lists, each with at most ``limit`` paths; ``counts`` tells how many there were."""
    lists: dict[str, list[str]] = {
        key: []
        for key in (
            "setuid",
            "setgid",
            "world_writable",
            "capabilities",
            "package_managers",
            "debug_tools",
            "shells",
            "root_files",
        )
    }
    unneeded: set[str] = set()
    sshd = False
    for path, entry in sorted(entries.items()):
        absolute = f"/{path}"
        if entry.kind in {"file", "link"}:
            _sort_mode(lists, absolute, entry)
        elif entry.kind == "folder" and entry.mode & stat.S_IWOTH and not entry.mode & stat.S_ISVTX:
            lists["world_writable"].append(absolute)
        folder, _, name = path.rpartition("/")
        if entry.kind != "folder":
            if not folder and entry.kind == "file":
                lists["root_files"].append(absolute)
            if folder in _FOLDERS:
                _sort_program(lists, absolute, name)
                sshd = sshd or name == "sshd"
        if path.startswith("root/") and entry.kind == "file" and name.endswith("_history"):
            unneeded.add(absolute)
        unneeded |= {f"/{_up_to(path, part)}" for part in path.split("/") if part in _UNNEEDED}
    lists["unneeded"] = sorted(unneeded)
    out: dict[str, Any] = {key: found[:limit] for key, found in lists.items()}
    return out | {"sshd": sshd, "counts": {key: len(found) for key, found in lists.items()}}


def _sort_mode(lists: dict[str, list[str]], path: str, entry: Entry) -> None:
    if entry.mode & stat.S_ISUID:
        lists["setuid"].append(path)
    if entry.mode & stat.S_ISGID:
        lists["setgid"].append(path)
    if entry.mode & stat.S_IWOTH:
        lists["world_writable"].append(path)
    if entry.capable:
        lists["capabilities"].append(path)


def _sort_program(lists: dict[str, list[str]], path: str, name: str) -> None:
    # python3.11-pip, gcc-12, pip3.11: the name before its version
    plain = name.rstrip("0123456789.-") or name
    for key, names in (("package_managers", PACKAGE_MANAGERS), ("debug_tools", DEBUG_TOOLS), ("shells", SHELLS)):
        if name in names or plain in names:
            lists[key].append(path)


def _up_to(path: str, part: str) -> str:
    parts = path.split("/")
    return "/".join(parts[: parts.index(part) + 1])


def package_caches(entries: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Folders of package managers' leftovers with their files and bytes."""
    sums: dict[str, list[int]] = {}
    for path, entry in entries.items():
        if entry.kind != "file" or not path.startswith(_CACHES) or path.rpartition("/")[2] in _NO_CACHE:
            continue
        cache = next(cache for cache in _CACHES if path.startswith(cache))
        held = sums.setdefault(cache, [0, 0])
        held[0] += 1
        held[1] += entry.size
    return [{"path": f"/{cache.rstrip('/')}", "files": n, "size": size} for cache, (n, size) in sorted(sums.items())]
