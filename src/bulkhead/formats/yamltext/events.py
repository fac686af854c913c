"""Events of the YAML parser, with its complaints as ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from bulkhead.core.errors import ParseError

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML was built without libyaml
    _native = False
else:
    _native = True


class _Pure(Reader, Scanner, Parser):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


def reader(text: str, *, native: bool = True) -> Callable[[], Any]:
    """A function giving the next event of the text, None after the last.

    ``native`` asks for libyaml, which is 20 times faster; without it PyYAML's own parser answers the same.
    """
    try:
        parser: Any = CParser(text) if native and _native else _Pure(text)
    except yaml.YAMLError as error:
        raise complaint(error, text) from error
    get_event: Callable[[], Any] = parser.get_event
    return get_event


def complaint(error: yaml.YAMLError, text: str) -> ParseError:
    """What the parser says, with its place; a text full of templates is named as such."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        message = error.problem or error.context or "the text is not YAML"
    elif isinstance(error, ReaderError):
        line, column = text.count("\n", 0, max(error.position, 0)) + 1, 0
        message = "a character that YAML does not allow stands in the text"
    else:
        line, column, message = 0, 0, "the text is not YAML"
    return named_template(ParseError(message, line=line, column=column), text)


def named_template(error: ParseError, text: str) -> ParseError:
    """The error of a text that is a template says so, since no repair of its YAML would help."""
    if "{{" not in text and "{%" not in text:
        return error
    return ParseError(
        f"templated text, not YAML before it is rendered: {error.message}",
        hint="render it first",
        line=error.line,
        column=error.column,
    )
