"""What the parts of one installation tell each other: subjects with parts between dots, as NATS has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import msgspec

PAYLOAD: Final = 1024 * 1024
"""The largest payload, in bytes."""
SUBJECT: Final = 255
"""The longest subject, in characters."""


WAITING: Final = 1024
"""How many messages wait for a reader unless it asks for another number."""


class Message(msgspec.Struct, frozen=True):
    """``reply`` is where an answer goes; empty where none is waited for."""

    subject: str
    payload: bytes
    reply: str = ""


class Subscription(Protocol):
    """Messages in the order in which they came. ``lost`` counts those that came while the reader was too far behind."""

    @property
    def lost(self) -> int: ...

    def __aiter__(self) -> AsyncIterator[Message]: ...

    async def __anext__(self) -> Message: ...


class Bus(Protocol):
    """Delivers at most once, to whoever listens at the time; nothing is kept for those who come later.

    A publisher never waits for a reader. What a reader was too slow for is counted, for it (``Subscription.lost``) and for
    all of them together (``lost``).
    """

    @property
    def lost(self) -> int:
        """Messages that any reader lost since the bus was opened."""
        ...

    async def publish(self, subject: str, payload: bytes, *, reply: str = "") -> None:
        """Tell whoever listens.

        Raises:
            UsageError: the subject has wildcards, blanks or empty parts, or more than ``SUBJECT`` characters.
            LimitExceeded: the payload is too large.
        """
        ...

    def subscribe(
        self, pattern: str, *, group: str = "", room: int = WAITING
    ) -> AbstractAsyncContextManager[Subscription]:
        """Listen, from when the context is entered until it is left.

        ``*`` stands for one part, ``>`` at the end for all the rest. Of a group each message reaches one member.

        Args:
            pattern: of subjects.
            group: the name of a group that shares the work; empty to get everything.
            room: messages that may wait for the reader; more are lost and counted.

        Raises:
            UsageError: the pattern is none.
            LimitExceeded: too many listen already.
        """
        ...

    async def request(self, subject: str, payload: bytes, *, seconds: float = 5.0) -> bytes:
        """The first answer.

        Raises:
            SourceError: nobody listens.
            LimitExceeded: nobody answered in time.
        """
        ...


def matches(pattern: str, subject: str) -> bool:
    """Whether a subject is one of the pattern's (NATS, subject-based messaging)."""
    wanted, parts = pattern.split("."), subject.split(".")
    for index, word in enumerate(wanted):
        if word == ">":
            return len(parts) > index
        if index >= len(parts) or word not in ("*", parts[index]):
            return False
    return len(wanted) == len(parts)


def is_subject(text: str) -> bool:
    """Whether something may be published under this."""
    parts = text.split(".")
    return len(text) <= SUBJECT and all(part and part not in ("*", ">") and _plain(part) for part in parts)


def is_pattern(text: str) -> bool:
    """Whether one may listen to this."""
    parts = text.split(".")
    return len(text) <= SUBJECT and all(parts) and ">" not in parts[:-1] and all(map(_plain, parts))


def _plain(part: str) -> bool:
    return part.isascii() and part.isprintable() and " " not in part
