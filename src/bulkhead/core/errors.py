"""The error tree.

BulkheadError                 B000
 ├── UsageError               B100  the words of the call are wrong
 ├── SettingsError            B110  a settings file or an exceptions file is wrong
 ├── SourceError              B200  a world could not be read; what it holds is unknown, not absent
 │    └── LimitExceeded       B210  a bound on size, depth, count or time was reached
 ├── ParseError               B220  bytes do not follow their format
 ├── CatalogueError           B300  a control file is wrong
 ├── ExpressionError          B310  a check's expression does not compile
 ├── CannotEdit               B400  this text cannot be changed without touching what was not asked
 ├── PlanRefused              B410  a plan breaks a limit or contradicts itself
 ├── Conflict                 B420  what is there is not what was there when the plan was made
 └── StoreError               B500  the store cannot be opened, read or written

Expected bad news is a value (an Outcome, a Gap), not an exception. Messages are lower case, say what and where
first, and never carry secret material.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Retry(StrEnum):
    """Whether the same call can succeed later."""

    NEVER = "never"
    LATER = "later"
    AFTER_FIX = "after-fix"


class BulkheadError(Exception):
    """Any failure of ours that a person should read.

    Args:
        message: what happened, lower case, without a full stop.
        where: the file, object or address it happened at.
        hint: what the reader can do next.
        facts: further values for machines; never secret material.
    """

    code: ClassVar[str] = "B000"
    retry: ClassVar[Retry] = Retry.NEVER

    def __init__(self, message: str, *, where: str = "", hint: str = "", **facts: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.facts = facts

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(BulkheadError):
    code = "B100"
    retry = Retry.AFTER_FIX


class SettingsError(BulkheadError):
    code = "B110"
    retry = Retry.AFTER_FIX


class SourceError(BulkheadError):
    code = "B200"
    retry = Retry.LATER


class LimitExceeded(SourceError):
    code = "B210"
    retry = Retry.AFTER_FIX


class ParseError(BulkheadError):
    """Bytes do not follow their format; ``line`` and ``column`` count from 1, 0 when unknown."""

    code = "B220"
    retry = Retry.AFTER_FIX

    def __init__(self, message: str, *, where: str = "", hint: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message, where=where, hint=hint, line=line, column=column)
        self.line = line
        self.column = column


class CatalogueError(BulkheadError):
    code = "B300"
    retry = Retry.AFTER_FIX


class ExpressionError(BulkheadError):
    code = "B310"
    retry = Retry.AFTER_FIX


class CannotEdit(BulkheadError):
    code = "B400"


class PlanRefused(BulkheadError):
    code = "B410"
    retry = Retry.AFTER_FIX


class Conflict(BulkheadError):
    code = "B420"
    retry = Retry.AFTER_FIX


class StoreError(BulkheadError):
    code = "B500"
    retry = Retry.LATER
