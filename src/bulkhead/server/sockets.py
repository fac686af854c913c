"""Sockets bound before anything answers, so that all faces start or none."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bulkhead.core.errors import SettingsError
from bulkhead.server.faces import Face, Listen


class Bound:
    """The sockets of one face; as a context manager of all faces see ``bind``."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.sockets: list[socket.socket] = []
        self._files: list[tuple[Path, int]] = []

    def bind(self) -> None:
        """Raises SettingsError where an address cannot be had, with the address and why."""
        for listen in self.face.listen:
            try:
                self.sockets.append(self._unix(listen) if listen.path else _tcp(listen))
            except OSError as error:
                reason = error.strerror or str(error)
                raise SettingsError(
                    f"{self.face.name} cannot listen there: {reason.lower()}", where=str(listen)
                ) from error

    def addresses(self) -> tuple[Listen, ...]:
        """Where it really listens: a port of 0 has become one."""
        return tuple(
            listen if listen.path else Listen(host=listen.host, port=made.getsockname()[1])
            for listen, made in zip(self.face.listen, self.sockets, strict=False)
        )

    def close(self) -> None:
        for made in self.sockets:
            made.close()
        for path, inode in self._files:
            # Somebody else's socket may stand there by now.
            with suppress(OSError):
                if path.lstat().st_ino == inode:
                    path.unlink()

    def _unix(self, listen: Listen) -> socket.socket:
        """A socket that was left behind is taken away; one that somebody answers on is not, nor is a file."""
        path = Path(listen.path)
        with suppress(FileNotFoundError):
            if not stat.S_ISSOCK(path.lstat().st_mode):
                raise SettingsError(
                    f"{self.face.name} cannot listen there: a file stands in the way", where=listen.path
                )
            if _answers(listen.path):
                raise SettingsError(f"{self.face.name} cannot listen there: somebody does already", where=listen.path)
            path.unlink()
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Until it has its mode nobody else may connect.
            before = os.umask(0o177)
            try:
                made.bind(listen.path)
            finally:
                os.umask(before)
            self._files.append((path, path.lstat().st_ino))
            if self.face.user:
                shutil.chown(path, user=self.face.user)
            path.chmod(listen.mode)
        except LookupError as error:
            made.close()
            raise SettingsError(f"there is no user '{self.face.user}'", where=listen.path) from error
        except OSError:
            made.close()
            raise
        made.setblocking(False)
        return made


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def _tcp(listen: Listen) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in listen.host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if made.family == socket.AF_INET6:
            # ``::`` is IPv6 and nothing else: what IPv4 gets is another line of the settings.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((listen.host, listen.port))
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made


def bind(faces: Sequence[Face]) -> list[Bound]:
    """All addresses of all faces.

    Raises:
        SettingsError: one of them cannot be had; none is kept.
    """
    bound: list[Bound] = []
    try:
        for face in faces:
            bound.append(Bound(face))
            bound[-1].bind()
    except SettingsError:
        for item in bound:
            item.close()
        raise
    return bound
