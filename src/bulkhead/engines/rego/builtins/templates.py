"""Go's text templates on values: fields, variables, ``if``, ``with``, ``range``, and the functions that need no method."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import msgspec

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.encodings import escaped
from bulkhead.engines.rego.builtins.operands import MAX_TEXT, object_, text, too_large
from bulkhead.engines.rego.builtins.shown import argument, number_text, printed
from bulkhead.engines.rego.errors import BudgetError, BuiltinError
from bulkhead.engines.rego.values import compare, items, same
from bulkhead.engines.rego.wire import plain

MAX_STEPS = 200_000
MAX_DEPTH = 50
_ACTION = later(
    r"\{\{(- )?[ \t\r\n]*(/\*.*?\*/|(?:\"(?:\\.|[^\"\\])*\"|`[^`]*`|'(?:\\.|[^'\\])*'|(?!\}\}).)*?)[ \t\r\n]*( -)?\}\}",
    16,
)
_TOKEN = later(
    r"""\s*(?:(?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)|(?P<number>[+-]?[0-9][0-9A-Fa-fx_.]*(?:[eE][+-]?[0-9]+)?)
    |(?P<variable>\$[A-Za-z0-9_]*)|(?P<field>\.[A-Za-z_][A-Za-z0-9_]*)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>:=|[|(),=.]))""",
    64,
)
_SPACES = " \t\r\n"


class _NoValue:
    """What a missing key gives."""


NO_VALUE = _NoValue()


class _Node(msgspec.Struct):
    """Text, an action, or a block with its branches."""

    kind: str
    words: list[tuple[str, str]] = msgspec.field(default_factory=list)
    text: str = ""
    body: list[_Node] = msgspec.field(default_factory=list)
    otherwise: list[_Node] = msgspec.field(default_factory=list)


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


def render(template: Any, variables: Any) -> str:
    source = text(template, 1)
    data = plain(object_(variables, 2))
    nodes = _Parser(source).whole()
    run = _Run(data)
    run.nodes(nodes, data, 0)
    return "".join(run.out).replace("<no value>", "<undefined>")


def _wrong(message: str) -> NoReturn:
    raise BuiltinError(f"template: template:1: {message}")


# Parsing


class _Parser:
    def __init__(self, source: str) -> None:
        self._pieces = _pieces(source)
        self._at = 0

    def whole(self) -> list[_Node]:
        nodes, ended = self._block(set(), 0)
        if ended:
            _wrong(f"unexpected {{{{{ended}}}}}")
        return nodes

    def _block(self, ends: set[str], depth: int) -> tuple[list[_Node], str]:
        """Nodes up to an end, and which one it was."""
        if depth > MAX_DEPTH:
            _wrong("blocks are nested too deep")
        nodes: list[_Node] = []
        while self._at < len(self._pieces):
            is_action, piece = self._pieces[self._at]
            self._at += 1
            if not is_action:
                nodes.append(_Node("text", text=piece))
                continue
            words = _words(piece)
            first = words[0][1] if words and words[0][0] == "word" else ""
            if first in {"end", "else"}:
                if first not in ends:
                    _wrong(f"unexpected {{{{{first}}}}}")
                self._rest = words[1:]
                return nodes, first
            nodes.append(self._node(first, words, depth))
        if ends:
            _wrong("unexpected EOF")
        return nodes, ""

    def _node(self, first: str, words: list[tuple[str, str]], depth: int) -> _Node:
        if first in {"if", "with", "range"}:
            return self._branch(first, words[1:], depth)
        if first in {"break", "continue"}:
            return _Node(first)
        if first in {"define", "template", "block"}:
            _wrong(f"{first} is not known here")
        if not words:
            _wrong("missing value for command")
        return _Node("action", words)

    def _branch(self, kind: str, words: list[tuple[str, str]], depth: int) -> _Node:
        node = _Node(kind, words)
        node.body, ended = self._block({"end", "else"}, depth + 1)
        if ended == "else":
            if self._rest:
                node.otherwise = [self._branch(self._rest[0][1], self._rest[1:], depth + 1)]
            else:
                node.otherwise, _ = self._block({"end"}, depth + 1)
        return node


def _pieces(source: str) -> list[tuple[bool, str]]:
    """Text and actions in turn, spaces taken away where an action says so."""
    out: list[tuple[bool, str]] = []
    at = 0
    trim = False
    for match in _ACTION.finditer(source):
        piece = source[at : match.start()]
        if trim:
            piece = piece.lstrip(_SPACES)
        if match[1]:
            piece = piece.rstrip(_SPACES)
        if piece:
            out.append((False, piece))
        if not match[2].startswith("/*"):
            out.append((True, match[2]))
        at, trim = match.end(), bool(match[3])
    rest = source[at:]
    if "{{" in rest:
        _wrong("unclosed action")
    out.append((False, rest.lstrip(_SPACES) if trim else rest))
    return out


def _words(action: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    at = 0
    while at < len(action.rstrip()):
        match = _TOKEN.match(action, at)
        if match is None:
            _wrong(f"unexpected {action[at : at + 10]!r} in command")
        # A field right behind a value belongs to it; one behind a space stands for itself.
        kind = match.lastgroup or ""
        joined = kind == "field" and at > 0 and match.group() == match[kind] and bool(out)
        out.append(("member" if joined else kind, match[kind]))
        at = match.end()
    return out


# Running


class _Run:
    def __init__(self, data: Any) -> None:
        self.out: list[str] = []
        self.scopes: list[dict[str, Any]] = [{"$": data}]
        self._left = MAX_STEPS
        self._room = MAX_TEXT

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise BudgetError("a template takes too many steps")

    def _write(self, piece: str) -> None:
        self._room -= len(piece)
        if self._room < 0:
            raise too_large()
        self.out.append(piece)

    def nodes(self, nodes: list[_Node], dot: Any, depth: int) -> None:
        for node in nodes:
            self._step()
            if node.kind == "text":
                self._write(node.text)
            elif node.kind == "action":
                value, named = self._pipeline(node.words, dot, declare=True)
                if not named:
                    self._write(_text(value))
            elif node.kind == "break":
                raise _Break
            elif node.kind == "continue":
                raise _Continue
            else:
                self._branch(node, dot, depth)

    def _branch(self, node: _Node, dot: Any, depth: int) -> None:
        self.scopes.append({})
        try:
            if node.kind == "range":
                self._range(node, dot, depth)
                return
            value, _ = self._pipeline(node.words, dot, declare=True)
            if _truth(value):
                self.nodes(node.body, value if node.kind == "with" else dot, depth + 1)
            else:
                self.nodes(node.otherwise, dot, depth + 1)
        finally:
            self.scopes.pop()

    def _range(self, node: _Node, dot: Any, depth: int) -> None:
        names: list[str] = []
        words = node.words
        marks = [number for number, word in enumerate(words) if word in {("mark", ":="), ("mark", "=")}]
        if marks:
            names = [name for kind, name in words[: marks[0]] if kind == "variable"]
            words = words[marks[0] + 1 :]
        value, _ = self._pipeline(words, dot, declare=False)
        found = list(_pairs(value))
        if not found:
            self.nodes(node.otherwise, dot, depth + 1)
        for key, item in found:
            self._step()
            scope = self.scopes[-1]
            scope.update(zip(names, (key, item) if len(names) > 1 else (item,), strict=False))
            self.scopes.append({})
            try:
                self.nodes(node.body, item, depth + 1)
            except _Continue:
                continue
            except _Break:
                break
            finally:
                self.scopes.pop()

    # Pipelines

    def _pipeline(self, words: list[tuple[str, str]], dot: Any, *, declare: bool) -> tuple[Any, bool]:
        """The value of commands joined by ``|``, and whether it went into a variable."""
        name = ""
        if declare and len(words) > 1 and words[0][0] == "variable" and words[1] in {("mark", ":="), ("mark", "=")}:
            name, how, words = words[0][1], words[1][1], words[2:]
        value: Any = NO_VALUE
        given: tuple[Any, ...] = ()
        for command in _split(words):
            self._step()
            value = self._command(command, dot, given)
            given = (value,)
        if name:
            self._assign(name, value, new=how == ":=")
        return value, bool(name)

    def _assign(self, name: str, value: Any, *, new: bool) -> None:
        if new:
            self.scopes[-1][name] = value
            return
        scope = next((scope for scope in reversed(self.scopes) if name in scope), None)
        if scope is None:
            _wrong(f'undefined variable "{name}"')
        scope[name] = value

    def _command(self, words: list[tuple[str, str]], dot: Any, given: tuple[Any, ...]) -> Any:
        if not words:
            _wrong("missing value for command")
        kind, word = words[0]
        if kind == "word" and word not in {"true", "false", "nil"}:
            function = FUNCTIONS.get(word)
            if function is None:
                _wrong(f'function "{word}" not defined')
            arguments = [*self._arguments(words[1:], dot), *given]
            try:
                return function(*arguments)
            except TypeError:
                _wrong(f"wrong number of args for {word}: got {len(arguments)}")
        found = self._arguments(words, dot)
        if len(found) != 1 or given:
            _wrong("can't give argument to non-function")
        return found[0]

    def _arguments(self, words: list[tuple[str, str]], dot: Any) -> list[Any]:
        out: list[Any] = []
        at = 0
        while at < len(words):
            kind, word = words[at]
            at += 1
            if kind == "member":
                out[-1] = _field(out[-1], word[1:])
            elif (kind, word) == ("mark", "("):
                depth, begun = 1, at
                while at < len(words) and depth:
                    depth += (words[at] == ("mark", "(")) - (words[at] == ("mark", ")"))
                    at += 1
                if depth:
                    _wrong("unclosed left paren")
                out.append(self._pipeline(words[begun : at - 1], dot, declare=False)[0])
            else:
                out.append(self._operand(kind, word, dot))
        return out

    def _operand(self, kind: str, word: str, dot: Any) -> Any:
        if kind == "string":
            return word[1:-1] if word[0] == "`" else _unquoted(word)
        if kind == "number":
            return _number(word)
        if kind == "variable":
            scope = next((scope for scope in reversed(self.scopes) if word in scope), None)
            if scope is None:
                _wrong(f'undefined variable "{word}"')
            return scope[word]
        if kind == "field":
            return _field(dot, word[1:])
        if (kind, word) == ("mark", "."):
            return dot
        if kind == "word":
            return (
                {"true": True, "false": False, "nil": None}[word]
                if word in {"true", "false", "nil"}
                else FUNCTIONS[word]()
            )
        return _wrong(f"unexpected {word!r} in operand")


def _split(words: list[tuple[str, str]]) -> Iterable[list[tuple[str, str]]]:
    part: list[tuple[str, str]] = []
    depth = 0
    for word in words:
        depth += (word == ("mark", "(")) - (word == ("mark", ")"))
        if word == ("mark", "|") and not depth:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _unquoted(word: str) -> str:
    from bulkhead.engines.rego.builtins.texts import from_json

    found = from_json(word)
    assert type(found) is str
    return found


def _number(word: str) -> Any:
    from bulkhead.engines.rego.builtins.conversions import to_number

    return to_number(word)


def _field(value: Any, name: str) -> Any:
    if value is NO_VALUE or value is None:
        _wrong(f"nil pointer evaluating interface {{}}.{name}")
    if not isinstance(value, dict):
        _wrong(f"can't evaluate field {name}")
    return value.get(name, NO_VALUE)


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    if value is NO_VALUE or value is None:
        return []
    if isinstance(value, list):
        return enumerate(value)
    if isinstance(value, dict):
        return items(value)
    return _wrong(f"range can't iterate over {_text(value)[:100]}")


def _truth(value: Any) -> bool:
    return value is not NO_VALUE and bool(value)


def _text(value: Any) -> str:
    """As ``fmt.Print`` writes it."""
    if value is NO_VALUE or value is None:
        return "<no value>"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is str:
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(_inner_text, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_inner_text(item)}' for key, item in items(value))}]"
    return number_text(value)


def _inner_text(value: Any) -> str:
    return "<nil>" if value is None else _text(value)


# Functions


def _equal(first: Any, *others: Any) -> bool:
    return any(same(first, other) for other in others)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, NO_VALUE)
        elif isinstance(value, (list, str)) and type(key) is int and 0 <= key < len(value):
            value = value[key]
        else:
            _wrong(f"error calling index: {_text(key)[:100]}")
    return value


def _slice(value: Any, *bounds: Any) -> Any:
    if not isinstance(value, (list, str)) or any(type(bound) is not int or bound < 0 for bound in bounds):
        _wrong("error calling slice")
    return value[slice(*(bounds or (0,)))] if len(bounds) != 1 else value[bounds[0] :]


def _length(value: Any) -> int:
    if not isinstance(value, (list, dict, str)):
        _wrong("error calling len")
    return len(value)


def _and(*values: Any) -> Any:
    return next((value for value in values if not _truth(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if _truth(value)), values[-1])


def _html(*values: Any) -> str:
    out = _print(*values)
    for char, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")):
        out = out.replace(char, name)
    return out


def _print(*values: Any) -> str:
    out: list[str] = []
    for number, value in enumerate(values):
        # A space stands between two values of which none is a string.
        if number and type(value) is not str and type(values[number - 1]) is not str:
            out.append(" ")
        out.append(_text(value))
    return "".join(out)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": _and,
    "or": _or,
    "not": lambda value: not _truth(value),
    "eq": _equal,
    "ne": lambda a, b: not same(a, b),
    "lt": lambda a, b: compare(a, b) < 0,
    "le": lambda a, b: compare(a, b) <= 0,
    "gt": lambda a, b: compare(a, b) > 0,
    "ge": lambda a, b: compare(a, b) >= 0,
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": _print,
    "println": lambda *values: " ".join(map(_text, values)) + "\n",
    "printf": lambda form, *values: printed(form, [argument(value) for value in values]),
    "html": _html,
    "urlquery": lambda *values: escaped(_print(*values)),
}
