"""What ``# METADATA`` comments say of packages and rules, and what a rule learns of it (``rego.metadata``).

The words are OPA's: https://www.openpolicyagent.org/docs/policy-language#annotations
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent
from typing import Any, Final

import msgspec

from bulkhead.engines.rego.builtins import yamls
from bulkhead.engines.rego.compile.tree import Entry, Path
from bulkhead.engines.rego.errors import RegoError
from bulkhead.engines.rego.failures import PARSE, failure
from bulkhead.engines.rego.syntax import Array, Boolean, Module, Null, Number, Object, Rule, String, Term

CHAIN: Final = ("rego", "metadata", "chain")
RULE: Final = ("rego", "metadata", "rule")
_SCOPES: Final = frozenset({"rule", "document", "package", "subpackages"})


class Annotation(msgspec.Struct, frozen=True):
    """One comment.

    Attributes:
        scope: what it is about.
        path: below ``data``: of the package, or of the rule.
        rule: the offset of the rule that it stands above; None above a package.
        module: the name of its file.
        content: as ``rego.metadata`` tells it, without the path.
    """

    scope: str
    path: Path
    rule: int | None
    module: str
    content: dict[str, Any]


def read(modules: Sequence[Module]) -> list[Annotation]:
    """The annotations of all modules.

    Raises:
        ExpressionError: one is no YAML, or of no scope that there is.
    """
    return [annotation for module in modules for annotation in _of(module)]


def about(entry: Entry, name: Path, known: Sequence[Annotation]) -> Term:
    """What a rule learns from ``rego.metadata.rule()`` or ``rego.metadata.chain()``."""
    rule = entry.rule
    mine = [item for item in known if item.scope == "rule" and (item.module, item.rule) == (entry.module.path, rule.at)]
    if name == RULE:
        return _term(rule.at, mine[-1].content if mine else {})
    package = entry.module.package
    path = _path(rule, entry.module)
    chain = [{"path": list(path), **({"annotations": mine[-1].content} if mine else {})}]
    outer = [item for item in known if item.scope == "document" and item.path == path]
    outer += [item for item in known if item.scope == "package" and item.path == package]
    for size in range(len(package), 0, -1):
        outer += [item for item in known if item.scope == "subpackages" and item.path == package[:size]]
    chain += [{"path": list(item.path), "annotations": item.content} for item in outer]
    return _term(rule.at, chain)


def _of(module: Module) -> list[Annotation]:
    found = []
    for end, text in _blocks(module):
        at = end - len(text)
        rule = next((rule for rule in module.rules if rule.at >= end), None)
        above_package = _package_at(module) >= end
        content = _content(module, at, text)
        scope = content.setdefault("scope", _scope(content, above_package=above_package))
        if scope not in _SCOPES:
            raise failure(module.text, module.path, at, f"invalid annotation scope '{scope}'", kind=PARSE)
        if (scope in {"package", "subpackages"}) != above_package or (rule is None and not above_package):
            where = "package" if scope in {"package", "subpackages"} else "rule"
            raise failure(
                module.text, module.path, at, f"annotation scope '{scope}' must be applied to {where}", kind=PARSE
            )
        if above_package or rule is None:
            found.append(Annotation(scope, module.package, None, module.path, content))
        else:
            found.append(Annotation(scope, _path(rule, module), rule.at, module.path, content))
    return found


def _scope(content: dict[str, Any], *, above_package: bool) -> str:
    if above_package:
        return "package"
    return "document" if content.get("entrypoint") is True else "rule"


def _blocks(module: Module) -> list[tuple[int, str]]:
    """The end of each block of comments that starts with METADATA, and the lines below that word."""
    found: list[tuple[int, str]] = []
    lines: list[str] | None = None
    end = 0
    for at, text in module.comments:
        follows = lines is not None and module.text[end:at].strip() == "" and module.text.count("\n", end, at) == 1
        if lines is not None and not follows:
            found.append((end, dedent("\n".join(lines))))
            lines = None
        if text.strip() == "METADATA" and lines is None:
            lines = []
        elif lines is not None:
            lines.append(text)
        end = at + 1 + len(text)
    if lines is not None:
        found.append((end, dedent("\n".join(lines))))
    return found


def _package_at(module: Module) -> int:
    """The offset of the line that says ``package``; comments before it are passed over."""
    comments = {module.text.count("\n", 0, at) for at, _ in module.comments}
    offset = 0
    for number, line in enumerate(module.text.split("\n")):
        if line.lstrip().startswith("package") and number not in comments:
            return offset
        offset += len(line) + 1
    return 0


def _content(module: Module, at: int, text: str) -> dict[str, Any]:
    try:
        given = yamls.load(text)
    except RegoError as error:
        raise failure(module.text, module.path, at, error.message, kind=PARSE) from None
    if given is None:
        given = {}
    if type(given) is not dict:
        raise failure(module.text, module.path, at, "METADATA is no mapping", kind=PARSE)
    made = dict(given)
    if "authors" in made:
        made["authors"] = [_author(item) for item in _listed(module, at, made, "authors")]
    if "related_resources" in made:
        links = _listed(module, at, made, "related_resources")
        made["related_resources"] = [{"ref": item} if type(item) is str else item for item in links]
    if "schemas" in made:
        made["schemas"] = [_schema(item) for item in _listed(module, at, made, "schemas")]
    return made


def _listed(module: Module, at: int, content: dict[str, Any], name: str) -> list[Any]:
    found = content[name]
    if type(found) is not list:
        raise failure(module.text, module.path, at, f"{name} must be a list", kind=PARSE)
    return found


def _author(item: Any) -> Any:
    """``name <address>``, or either."""
    if type(item) is not str:
        return item
    name, mark, rest = item.partition("<")
    told = {"name": " ".join(name.split())} if name.strip() else {}
    return told | ({"email": rest.partition(">")[0].strip()} if mark else {})


def _schema(item: Any) -> Any:
    """``input: schema.name``, or a path with a definition."""
    if type(item) is not dict or len(item) != 1:
        return item
    [(path, value)] = item.items()
    named = {"schema": str(value).split(".")} if type(value) is str else {"definition": value}
    return {"path": str(path).split("."), **named}


def _path(rule: Rule, module: Module) -> Path:
    path = list(module.package)
    for key in rule.path:
        if not isinstance(key, String):
            break
        path.append(key.value)
    return tuple(path)


def _term(at: int, value: Any) -> Term:
    """A value as it would be written."""
    if value is None:
        return Null(at)
    if type(value) is bool:
        return Boolean(at, value)
    if type(value) is str:
        return String(at, value)
    if type(value) is list:
        return Array(at, tuple(_term(at, item) for item in value))
    if type(value) is dict:
        return Object(at, tuple((_term(at, key), _term(at, item)) for key, item in value.items()))
    return Number(at, str(value))


def is_asked(name: Path) -> bool:
    return name in (CHAIN, RULE)
