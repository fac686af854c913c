"""Who may ask: a token made at the first start, tickets and sessions for browsers, and a bound on wrong guesses.

The state folder keeps the token's digest, and the token itself in a file of its own that its owner may take away. Of sessions and
tickets only digests are kept, in memory: they end with the process.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from bulkhead.core.errors import SettingsError

DIGEST, PLAIN = "serve.token.sha256", "serve.token"
IDLE_SECONDS: Final = 3600.0
ABSOLUTE_SECONDS: Final = 12 * 3600.0
TICKET_SECONDS: Final = 900.0
SESSIONS: Final = 64
TRIES: Final = 10
WINDOW_SECONDS: Final = 60.0
_PEERS: Final = 1024
_LONG: Final = 200


class Session(msgspec.Struct):
    """A browser that signed in. ``form`` must come with every form that it sends."""

    form: str
    made: float
    used: float


class Gate:
    """Tokens, tickets, sessions. All comparing is of digests, in constant time.

    Attributes:
        plain: the file with the token itself.
        first: whether the token was made just now.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises SettingsError where the token cannot be made or its digest is not ours alone."""
        self.plain = folder / PLAIN
        self._clock = clock
        kept = folder / DIGEST
        self.first = not kept.exists()
        try:
            if self.first:
                token = secrets.token_urlsafe(32)
                _private(self.plain, token.encode() + b"\n")
                _private(kept, _digest(token).encode() + b"\n")
            status = kept.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
                raise SettingsError("the token's digest is not ours alone", where=str(kept), hint="chmod 600 it")
            self._token = kept.read_bytes()[:100].decode("ascii", "replace").strip()
        except OSError as error:
            raise SettingsError(f"the token cannot be kept: {error.strerror}", where=str(kept)) from error
        if len(self._token) != hashlib.sha256().digest_size * 2:
            raise SettingsError(
                "the token's digest is damaged",
                where=str(kept),
                hint="remove it; a new token is made at the next start",
            )
        self._sessions: dict[str, Session] = {}
        self._tickets: dict[str, float] = {}
        self._wrong: dict[str, list[float]] = {}

    def good(self, token: str) -> bool:
        return hmac.compare_digest(_digest(token), self._token)

    def may_try(self, peer: str) -> bool:
        """Whether this peer guessed wrong less often than is allowed in a while."""
        since = self._clock() - WINDOW_SECONDS
        recent = [instant for instant in self._wrong.get(peer, ()) if instant > since]
        if recent:
            self._wrong[peer] = recent
        else:
            self._wrong.pop(peer, None)
        return len(recent) < TRIES

    def guessed_wrong(self, peer: str) -> None:
        if peer not in self._wrong and len(self._wrong) >= _PEERS:
            # The one that was quiet for longest makes room.
            del self._wrong[min(self._wrong, key=lambda known: self._wrong[known][-1])]
        self._wrong.setdefault(peer, []).append(self._clock())

    def ticket(self) -> str:
        """A word that signs one browser in once, for a link on a terminal: the token itself stays out of its history."""
        while len(self._tickets) >= SESSIONS:
            del self._tickets[next(iter(self._tickets))]
        made = secrets.token_urlsafe(32)
        self._tickets[_digest(made)] = self._clock() + TICKET_SECONDS
        return made

    def redeem(self, ticket: str) -> bool:
        """Whether the ticket is good; it is not any more afterwards."""
        ends = self._tickets.pop(_digest(ticket), None)
        return ends is not None and self._clock() < ends

    def sign_in(self) -> str:
        """A new session's name, for the cookie."""
        name = secrets.token_urlsafe(32)
        now = self._clock()
        if len(self._sessions) >= SESSIONS:
            oldest = min(self._sessions, key=lambda key: self._sessions[key].used)
            del self._sessions[oldest]
        self._sessions[_digest(name)] = Session(secrets.token_urlsafe(24), now, now)
        return name

    def session(self, name: str) -> Session | None:
        """The session, which is used by being asked for; None where it ended or never was."""
        key = _digest(name)
        found = self._sessions.get(key)
        now = self._clock()
        if found is None:
            return None
        if now - found.used > IDLE_SECONDS or now - found.made > ABSOLUTE_SECONDS:
            del self._sessions[key]
            return None
        found.used = now
        return found

    def sign_out(self, name: str) -> None:
        self._sessions.pop(_digest(name), None)


def same(given: str, wanted: str) -> bool:
    """Whether a form's word is the session's; in constant time, and never for an empty one."""
    return bool(wanted) and hmac.compare_digest(_digest(given), _digest(wanted))


def _digest(text: str) -> str:
    return hashlib.sha256(text[:_LONG].encode("utf-8", "surrogatepass")).hexdigest()


def _private(path: Path, data: bytes) -> None:
    """A new file of ours in place of whatever stands there; links are not followed."""
    draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
