"""What an evaluation can end in besides answers, with OPA's codes (topdown/errors.go)."""

from __future__ import annotations

from typing import ClassVar


class RegoError(Exception):
    """An evaluation that has no answer. It is never absorbed: what asks must take it for a refusal.

    Attributes:
        message: lower case, in OPA's words where OPA has some.
        policy: the function of the plan it happened in, where that is known.
    """

    code: ClassVar[str] = "eval_internal_error"

    def __init__(self, message: str, policy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.policy = policy

    def __str__(self) -> str:
        text = f"{self.code}: {self.message}"
        return f"{self.policy}: {text}" if self.policy else text


class ConflictError(RegoError):
    """Two rules give two values to one thing."""

    code = "eval_conflict_error"


class BudgetError(RegoError):
    """More steps, more time or more memory than the evaluation may take."""

    code = "eval_cancel_error"


class PortError(RegoError):
    """The policy asks the world for something that this evaluation was not given."""

    code = "eval_builtin_error"


class BuiltinError(RegoError):
    """A built-in has no answer for its arguments: undefined, unless built-in errors are strict."""

    code = "eval_builtin_error"


class OperandError(BuiltinError):
    """A built-in was given an argument of another type."""

    code = "eval_type_error"
