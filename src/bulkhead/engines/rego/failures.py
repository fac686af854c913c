"""What is wrong with a policy, with its place and OPA's own word for it."""

from __future__ import annotations

from bulkhead.core.errors import ExpressionError

PARSE = "rego_parse_error"
COMPILE = "rego_compile_error"
TYPE = "rego_type_error"
UNSAFE = "rego_unsafe_var_error"
RECURSION = "rego_recursion_error"


def failure(text: str, path: str, at: int, message: str, *, kind: str = PARSE, hint: str = "") -> ExpressionError:
    """The error for a place in a module; lines and columns count from 1.

    Args:
        text: of the module.
        path: its name.
        at: the offset.
        message: lower case, without a full stop.
        kind: one of OPA's codes.
        hint: what the reader can do next.
    """
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    where = f"{path or 'policy'}:{line}:{column}"
    return ExpressionError(f"{kind}: {message}", where=where, hint=hint, line=line, column=column)
