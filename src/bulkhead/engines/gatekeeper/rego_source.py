"""A template's Rego: what Gatekeeper takes, compiled alone with its libraries, so that no template sees another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bulkhead.core.errors import ParseError
from bulkhead.engines.rego import plans
from bulkhead.engines.rego.builtins import TABLE, Builtin
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.errors import BuiltinError
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.program import Program, compile_plan
from bulkhead.engines.rego.syntax import Module, Ref, String, Term, Var

ENTRY: Final = "violation"
_LIBRARY: Final = "lib"
_INVENTORY: Final = "inventory"
_LIBRARIES: Final = 50
_SIZE: Final = 1024 * 1024
"""Bytes of a module: no object of a cluster is larger."""


def _external(w: Any, asked: Any) -> Any:
    from bulkhead.engines.rego.builtins.world import port

    given = port(w.context.external, "external_data", "providers of external data")
    provider, keys = (asked.get("provider"), asked.get("keys")) if isinstance(asked, dict) else (None, None)
    if not isinstance(provider, str) or not isinstance(keys, list):
        raise BuiltinError("external_data: it takes a provider and a list of keys")
    return given(provider, keys)


BUILTINS: Final[Mapping[str, Builtin]] = {
    **TABLE,
    "external_data": Builtin("external_data", 1, world=True, grows=True, function=_external),
}
_ARITIES: Final = {name: builtin.arity for name, builtin in BUILTINS.items()}


def compile_source(text: str, libraries: Sequence[str], *, version: int, where: str) -> Program:
    """The program with the entry ``violation``.

    Args:
        text: the policy.
        libraries: what it imports below ``data.lib``.
        version: of the language, 0 or 1.
        where: the template, for messages.

    Raises:
        ParseError: Gatekeeper would not take it.
        ExpressionError: it does not compile.
    """
    if len(libraries) > _LIBRARIES or any(len(item) > _SIZE for item in (text, *libraries)):
        raise ParseError(f"a template has at most {_LIBRARIES} libraries of {_SIZE >> 10} KiB", where=where)
    main = module(text, f"{where}/rego", version=version)
    others = [
        module(item, f"{where}/libs[{number}]", version=version)
        for number, item in enumerate(libraries)
        if item.strip()
    ]
    for library in others:
        if library.package[0] != _LIBRARY:
            raise ParseError("a library's package is below lib", where=library.path)
    if main.package[0] == _LIBRARY:
        raise ParseError("the package of a policy is not below lib, where its libraries are", where=main.path)
    for part in (main, *others):
        _check_data(part)
    rules = [rule for rule in main.rules if rule.name == ENTRY]
    if not rules:
        raise ParseError("there is no rule 'violation'", where=main.path)
    if any(rule.arguments is not None or (rule.member is None and len(rule.path) != 2) for rule in rules):
        raise ParseError("'violation' is a set of violations: violation[{\"msg\": msg}]", where=main.path)
    asked = f"x = data.{'.'.join(main.package)}.{ENTRY}"
    made = plan([main, *others], {ENTRY: (query(asked), asked)}, _ARITIES)
    return compile_plan(plans.read(made), builtins=BUILTINS)


def _check_data(part: Module) -> None:
    """Raises ParseError where a module looks at data that is neither a library nor the inventory."""
    for item in part.imports:
        if item.path[0] == "data" and (len(item.path) < 2 or item.path[1] not in (_LIBRARY, _INVENTORY)):
            raise _outside(".".join(item.path), part)
    for term in _terms(part):
        if isinstance(term, Ref) and isinstance(term.head, Var) and term.head.name == "data":
            first = term.keys[0] if term.keys else None
            if not isinstance(first, String) or first.value not in (_LIBRARY, _INVENTORY, *part.package[:1]):
                raise _outside(f"data[{first.value if isinstance(first, String) else '…'}]", part)


def _outside(what: str, part: Module) -> ParseError:
    return ParseError(f"{what} is neither data.lib nor data.inventory", where=part.path)


def _terms(thing: Any) -> Iterator[Term]:
    """Every reference below a node of the tree."""
    if isinstance(thing, tuple):
        for item in thing:
            yield from _terms(item)
    elif hasattr(thing, "__struct_fields__"):
        if isinstance(thing, Ref):
            yield thing
        for name in thing.__struct_fields__:
            yield from _terms(getattr(thing, name))
