"""What a machine's own files tell of what runs on it. Nothing is started, nothing is entered."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_LIMIT = 4 * 1024 * 1024
_LISTEN = "0A"
_UNCONNECTED = "07"
_FDS = 200_000
"""Open files of all processes that are looked at."""
_TRUST = re.compile(r"^\s*(?:export\s+)?DOCKER_CONTENT_TRUST=[\"']?(\w*)", re.MULTILINE)
_WATCH = re.compile(r"(?:^|\s)-w\s+(\S+)")
_WATCHED = re.compile(r"-F\s+(?:path|dir)=(\S+)")


class Machine:
    """The machine below ``root``; another root than ``/`` is a machine's files as a test lays them out."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def at(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """A file's text; None where there is none or it may not be read."""
        try:
            with self.at(path).open("rb") as file:
                return file.read(_LIMIT).decode("utf-8", "replace")
        except OSError:
            return None

    def facts(self, path: str) -> dict[str, Any]:
        """``exists``, ``mode`` in octal, ``owner`` and ``group`` by name where they have one.

        Raises:
            OSError: there is something that may not be looked at.
        """
        try:
            found = os.lstat(self.at(path))
        except (FileNotFoundError, NotADirectoryError):
            return {"exists": False, "mode": "", "owner": "", "group": ""}
        users, groups = self._names("/etc/passwd"), self._names("/etc/group")
        return {
            "exists": True,
            "mode": f"{stat.S_IMODE(found.st_mode):o}",
            "owner": users.get(found.st_uid, str(found.st_uid)),
            "group": groups.get(found.st_gid, str(found.st_gid)),
        }

    def absent(self, path: str) -> bool:
        """Whether there is surely nothing; what may not be looked at is not absent."""
        try:
            os.lstat(self.at(path))
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False

    def _names(self, path: str) -> dict[int, str]:
        names: dict[int, str] = {}
        for line in (self.text(path) or "").splitlines():
            parts = line.split(":")
            if len(parts) > 2 and parts[2].isdecimal():
                names.setdefault(int(parts[2]), parts[0])
        return names

    def groups(self) -> dict[str, list[str]]:
        """Group to the users who are in it, by ``/etc/group`` and by their own primary group."""
        lines = [line.split(":") for line in (self.text("/etc/group") or "").splitlines()]
        found = {line[0]: [name for name in line[3].split(",") if name] for line in lines if len(line) > 3}
        by_id = {line[2]: line[0] for line in lines if len(line) > 2}
        for line in (self.text("/etc/passwd") or "").splitlines():
            parts = line.split(":")
            if len(parts) > 3 and parts[3] in by_id and by_id[parts[3]] in found:
                members = found[by_id[parts[3]]]
                if parts[0] not in members:
                    members.append(parts[0])
        return found

    def processes(self) -> Iterator[tuple[int, str]]:
        """Numbers of processes and the names of their programs."""
        try:
            entries = sorted(int(entry.name) for entry in os.scandir(self.at("/proc")) if entry.name.isdecimal())
        except OSError:
            return
        for pid in entries:
            name = self.text(f"/proc/{pid}/comm")
            if name:
                yield pid, name.strip()

    def arguments(self, pid: int) -> list[str] | None:
        """A process's words, its program first; None where it is gone or not ours to see."""
        text = self.text(f"/proc/{pid}/cmdline")
        return text.rstrip("\0").split("\0") if text else None

    def started(self, pid: int) -> float | None:
        """When a process started, in seconds since 1970 (proc(5): stat, field 22, in ticks since the boot)."""
        text, boot = self.text(f"/proc/{pid}/stat"), self.text("/proc/stat")
        if not text or not boot:
            return None
        try:
            ticks = int(text.rpartition(")")[2].split()[19])
            booted = next(int(line.split()[1]) for line in boot.splitlines() if line.startswith("btime "))
        except (IndexError, ValueError, StopIteration):
            return None
        return booted + ticks / os.sysconf("SC_CLK_TCK")

    def changed(self, path: str) -> float | None:
        """When a file was changed last, in seconds since 1970; None where there is none, or it may not be looked at."""
        try:
            return self.at(path).stat().st_mtime
        except OSError:
            return None

    def program(self, pid: int) -> str:
        try:
            return str(self.at(f"/proc/{pid}/exe").readlink()).removesuffix(" (deleted)")
        except OSError:
            return ""

    def listening(self, pid: int) -> list[str] | None:
        """Ports that have a listener in the process's network namespace, as ``80/tcp``; None where they cannot be seen."""
        found: set[str] = set()
        seen = False
        for name in ("tcp", "tcp6", "udp", "udp6"):
            text = self.text(f"/proc/{pid}/net/{name}")
            if text is None:
                continue
            seen = True
            wanted = _LISTEN if name.startswith("tcp") else _UNCONNECTED
            for line in text.splitlines()[1:]:
                words = line.split()
                if len(words) > 3 and words[3] == wanted:
                    found.add(f"{int(words[1].rpartition(':')[2], 16)}/{name[:3]}")
        return sorted(found) if seen else None

    def audited(self) -> frozenset[str]:
        """Paths that a loaded audit rule watches. Rules in files are loaded by a daemon that runs; without it there is none."""
        if not any(name == "auditd" for _, name in self.processes()):
            return frozenset()
        files = [self.at("/etc/audit/audit.rules")]
        with suppress(OSError):
            files += sorted(self.at("/etc/audit/rules.d").glob("*.rules"))
        found: set[str] = set()
        for file in files:
            text = self.text("/" + str(file.relative_to(self._root)))
            for line in (text or "").splitlines():
                if not line.lstrip().startswith("#"):
                    found.update(path.rstrip("/") for path in (*_WATCH.findall(line), *_WATCHED.findall(line)))
        return frozenset(found)

    def own_file_system(self, path: str) -> bool | None:
        """Whether a file system begins at the folder; None where that cannot be told. A folder that is mounted on itself has none."""
        try:
            here = self.at(path).resolve()
            return here.stat().st_dev != here.parent.stat().st_dev
        except OSError:
            return None

    def content_trust(self) -> str | None:
        """The value of ``DOCKER_CONTENT_TRUST`` that logins get, empty for none; None where a file may not be read."""
        files = ["/etc/environment"]
        try:
            scripts = sorted(self.at("/etc/profile.d").glob("*.sh"))[:200]
        except OSError:
            return None
        files += ["/etc/profile", *("/etc/profile.d/" + script.name for script in scripts)]
        value = ""
        for file in files:
            text = self.text(file)
            if text is None:
                if not self.absent(file):
                    return None
                continue
            # The last one has the word.
            value = next(reversed(_TRUST.findall(text)), value)
        return value

    def readers(self, folder: str) -> list[str] | None:
        """Names of programs that have files below the folder open; None where other users' processes cannot be looked into."""
        if os.geteuid() != 0:
            return None
        found: set[str] = set()
        left = _FDS
        for pid, name in self.processes():
            try:
                with os.scandir(self.at(f"/proc/{pid}/fd")) as entries:
                    for entry in entries:
                        left -= 1
                        if left < 0:
                            return None
                        with suppress(OSError):
                            if os.readlink(entry.path).startswith(folder):  # noqa: PTH115 (a link that leads nowhere)
                                found.add(name)
                                break
            except OSError:
                continue  # It ended in between.
        return sorted(found)
