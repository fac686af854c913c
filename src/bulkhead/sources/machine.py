"""What a machine's own files tell of what runs on it. Nothing is started, nothing is entered."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bulkhead.core.errors import LimitExceeded, SourceError

_ROOT = Path("/")
_LIMIT = 4 * 1024 * 1024
_LINKS = 40
"""Links on the way to one file, as the kernel has it (path_resolution(7))."""
_ENTRIES = 10_000
_LISTEN = "0A"
_UNCONNECTED = "07"
_FDS = 200_000
"""Open files of all processes that are looked at."""
_TRUST = re.compile(r"^\s*(?:export\s+)?DOCKER_CONTENT_TRUST=[\"']?(\w*)", re.MULTILINE)
_WATCH = re.compile(r"(?:^|\s)-w\s+(\S+)")
_WATCHED = re.compile(r"-F\s+(?:path|dir)=(\S+)")


def _group(line: str) -> tuple[str, str]:
    """Controller and path of a line of /proc/PID/cgroup (cgroups(7)); of version 2 the controller is empty."""
    _, controllers, path = line.split(":", 2)
    return next((name for name in controllers.split(",") if name in ("memory", "pids")), controllers), path


class Machine:
    """The machine below ``root``; another root than ``/`` is a machine's files as a test lays them out."""

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root

    def at(self, path: str, *, follow: bool = True) -> Path:
        """Where the path stands. Below another root than ``/`` a link leads no further than that root.

        Args:
            path: from the root on.
            follow: whether its last part is followed when it is a link.

        Raises:
            OSError: links lead in a circle, or a folder on the way may not be looked at.
        """
        if self._root == _ROOT:
            return Path("/" + path.lstrip("/"))
        return self._root / self._walked(path, follow=follow)

    def real(self, path: str) -> str:
        """The path that the links lead to, from the root on.

        Raises:
            OSError: they lead in a circle, or a folder on the way may not be looked at.
        """
        return "/" + self._walked(path, follow=True)

    def _walked(self, path: str, *, follow: bool) -> str:
        done: list[str] = []
        left = path.split("/")[::-1]
        links = _LINKS
        while left:
            part = left.pop()
            if part in ("", "."):
                continue
            if part == "..":
                del done[-1:]
                continue
            here = self._root.joinpath(*done, part)
            if (follow or any(left)) and self._is_link(here):
                links -= 1
                if links < 0:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                target = str(here.readlink())
                if target.startswith("/"):
                    done.clear()
                left += target.split("/")[::-1]
                continue
            done.append(part)
        return "/".join(done)

    @staticmethod
    def _is_link(path: Path) -> bool:
        try:
            return stat.S_ISLNK(os.lstat(path).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def text(self, path: str) -> str | None:
        """A file's text, its beginning where it is very long; None where there is none or it may not be read."""
        try:
            return self._beginning(path).decode("utf-8", "replace")
        except OSError:
            return None

    def content(self, path: str) -> bytes:
        """A file's bytes, all of them.

        Raises:
            OSError: there is none, it is no file, or it may not be read.
            LimitExceeded: it has more than 4 MiB.
        """
        data = self._beginning(path)
        if len(data) > _LIMIT:
            raise LimitExceeded(f"it has more than {_LIMIT >> 20} MiB", where=path)
        return data

    def _beginning(self, path: str) -> bytes:
        # Without O_NONBLOCK a pipe that somebody left there would be waited for.
        handle = os.open(self.at(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "it is no file", path)
            return file.read(_LIMIT + 1)

    def inside(self, pid: int) -> Machine:
        """The files as a process sees them; the same machine where that cannot be told."""
        return Machine(self._root / f"proc/{pid}/root") if self._sees(pid) else self

    def _sees(self, pid: int) -> bool:
        try:
            return (self._root / f"proc/{pid}/root" / "etc").is_dir()
        except OSError:
            return False

    def listed(self, folder: str) -> list[str]:
        """The paths in a folder, sorted; none where there is no such folder.

        Raises:
            OSError: it may not be looked into.
            LimitExceeded: there are more than 10,000.
        """
        names: list[str] = []
        try:
            with os.scandir(self.at(folder)) as entries:
                for entry in entries:
                    names.append(entry.name)
                    if len(names) > _ENTRIES:
                        raise LimitExceeded(f"it holds more than {_ENTRIES} files", where=folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [f"{folder.rstrip('/')}/{name}" for name in sorted(names)]

    def facts(self, path: str) -> dict[str, Any]:
        """``exists``, ``mode`` in octal, ``owner`` and ``group`` by name where they have one.

        Raises:
            OSError: there is something that may not be looked at.
        """
        try:
            found = os.lstat(self.at(path, follow=False))
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
            os.lstat(self.at(path, follow=False))
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

    def environment(self, pid: int) -> list[str]:
        """A process's variables as it was started with.

        Raises:
            SourceError: it is gone or not ours to see.
        """
        path = f"/proc/{pid}/environ"
        try:
            return self._beginning(path).decode("utf-8", "replace").split("\0")
        except OSError as error:
            raise SourceError(f"it may not be read: {error.strerror}", where=path) from error

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
            return str(self.at(f"/proc/{pid}/exe", follow=False).readlink()).removesuffix(" (deleted)")
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

    def usage(self, pid: int, container: str) -> dict[str, Any] | None:
        """Memory in use and at most, in bytes, and the number of processes of a container, as its control group counts them.

        None where the process is in no group of this container, or it cannot be read: the number may be another machine's.
        """
        text = self.text(f"/proc/{pid}/cgroup")
        groups = dict(_group(line) for line in (text or "").splitlines() if container in line)
        if not container or not groups:
            return None
        # Where both versions are mounted, the controllers are with the first.
        whole = "" if "memory" in groups else groups.get("", "")
        memory = f"/sys/fs/cgroup{whole}" if whole else f"/sys/fs/cgroup/memory{groups.get('memory', '')}"
        pids = f"/sys/fs/cgroup{whole}" if whole else f"/sys/fs/cgroup/pids{groups.get('pids', '')}"
        used = self._count(f"{memory}/{'memory.current' if whole else 'memory.usage_in_bytes'}")
        peak = self._count(f"{memory}/{'memory.peak' if whole else 'memory.max_usage_in_bytes'}")
        count = self._count(f"{pids}/pids.current")
        found: dict[str, Any] = {}
        if used is not None:
            found["memory"] = {"usage": used, "peak": max(used, peak or 0)}
        if count is not None:
            found["pids"] = count
        return found if len(found) == 2 else None

    def _count(self, path: str) -> int | None:
        text = (self.text(path) or "").strip()
        return int(text) if text.isascii() and text.isdecimal() else None

    def audited(self) -> frozenset[str]:
        """Paths that a loaded audit rule watches. Rules in files are loaded by a daemon that runs; without it there is none."""
        if not any(name == "auditd" for _, name in self.processes()):
            return frozenset()
        files = ["/etc/audit/audit.rules"]
        with suppress(OSError, LimitExceeded):
            files += [path for path in self.listed("/etc/audit/rules.d") if path.endswith(".rules")]
        found: set[str] = set()
        for file in files:
            text = self.text(file)
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
