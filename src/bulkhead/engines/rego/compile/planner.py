"""The plan of a set of modules: a function for each document and each function that an entry point needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego.compile import documents, literals, metadata, names, references, terms
from bulkhead.engines.rego.compile.emit import DATA, INPUT, Block, Constants, Operand, Writer, local
from bulkhead.engines.rego.compile.frame import After, Frame, Then, World
from bulkhead.engines.rego.compile.hoist import Hoisting
from bulkhead.engines.rego.compile.order import Ordering
from bulkhead.engines.rego.compile.tree import Entry, Group, Node, Path, tree
from bulkhead.engines.rego.failures import RECURSION, failure
from bulkhead.engines.rego.syntax import WILDCARD, Body, Module, Rule, Term

Failed = Callable[[int, str, str], ExpressionError]


def plan(
    modules: Sequence[Module], queries: Mapping[str, tuple[Body, str]], builtins: Mapping[str, int]
) -> dict[str, Any]:
    """The plan, in the form that a bundle's ``plan.json`` has.

    Args:
        modules: as they were parsed.
        queries: name → body and text; a plan answers with one object of its variables for each way in which it holds.
        builtins: name → how many arguments it takes.

    Raises:
        ExpressionError: the policy does not compile; OPA's word for it is in the message.
    """
    siblings: dict[Path, set[str]] = {}
    for module in modules:
        siblings.setdefault(module.package, set()).update(rule.name for rule in module.rules)
    found = [names.resolved(module, frozenset(siblings[module.package]), builtins) for module in modules]
    root = tree(found)
    # What no query asks for must be right as well: a rule that is asked for tomorrow is not found wanting then.
    known = metadata.read(modules)
    Planner(root, builtins, known).everything(root)
    planner = Planner(root, builtins, known)
    return planner.whole({name: (names.of_query(body, text, builtins), text) for name, (body, text) in queries.items()})


class Planner:
    """Plans functions when they are first asked for, each once for each world."""

    def __init__(self, root: Node, builtins: Mapping[str, int], known: Sequence[metadata.Annotation]) -> None:
        self.root = root
        self._known = known
        self._builtins = builtins
        self._constants = Constants()
        self._functions: list[dict[str, Any]] = []
        self._named: dict[tuple[Path, str, World], str] = {}
        self._unfinished: set[tuple[Path, str, World]] = set()
        self._used: dict[str, None] = {}
        self._hidden = 0

    def whole(self, queries: Mapping[str, tuple[Body, str]]) -> dict[str, Any]:
        plans = [self._query(name, body, text) for name, (body, text) in queries.items()]
        used = [{"name": name} for name in self._used]
        static = {"strings": self._constants.listed(), "builtin_funcs": used, "files": [{"value": "policy"}]}
        return {"static": static, "plans": {"plans": plans}, "funcs": {"funcs": self._functions}}

    def everything(self, node: Node) -> None:
        """Plan each rule below a node.

        Raises:
            ExpressionError: one of them does not compile.
        """
        if node.group is not None:
            entry = node.group.entries[0]
            frame = self.frame(entry, Writer(self._constants, 2), World())
            if node.group.kind == "function":
                self.function(frame, entry.rule.at, node.group.path)
            else:
                self.document(frame, entry.rule.at, node.group)
        for child in node.children.values():
            self.everything(child)

    # What frames ask.

    def arity(self, name: Path) -> int | None:
        """How many arguments a function takes; None for what is no function."""
        if name[0] != "data":
            return self._builtins.get(".".join(name))
        node: Node | None = self.root
        for part in name[1:]:
            node = node.children.get(part) if node is not None else None
        group = node.group if node is not None else None
        return group.arity if group is not None and group.kind == "function" else None

    def is_value(self, name: Path) -> bool:
        """Whether rules make a value at the name."""
        node: Node | None = self.root
        for part in name[1:]:
            node = node.children.get(part) if node is not None else None
        return name[0] == "data" and node is not None and node.group is not None and node.group.kind != "function"

    def uses(self, name: Path) -> None:
        self._used[".".join(name)] = None

    def hidden(self) -> str:
        self._hidden += 1
        return str(self._hidden)

    def function(self, frame: Frame, at: int, path: Path, *, mocked: bool = True) -> str:
        """The planned name of a function of the policy."""
        node = self.root
        for part in path:
            node = node.children[part]
        group = node.group
        if group is None:
            raise frame.failed(at, f"undefined function data.{'.'.join(path)}")
        world = frame.world if mocked else msgspec.structs.replace(frame.world, mocks=())
        return self._once(frame, at, path, "rule", world, lambda name: self._group(name, group, world))

    def document(self, frame: Frame, at: int, group: Group) -> str:
        world = frame.world
        return self._once(frame, at, group.path, "rule", world, lambda name: self._group(name, group, world))

    def extent(self, frame: Frame, at: int, path: Path, node: Node) -> str:
        """The function that makes everything below a path: rules over data."""
        world = frame.world
        return self._once(frame, at, path, "extent", world, lambda name: self._extent(name, path, node, world))

    def _once(self, frame: Frame, at: int, path: Path, kind: str, world: World, make: Callable[[str], None]) -> str:
        key = (path, kind, world)
        if key in self._unfinished:
            raise frame.failed(at, f"rule data.{'.'.join(path)} is recursive", RECURSION)
        known = self._named.get(key)
        if known is not None:
            return known
        name = f"g{len(self._named)}.{'.'.join(('data', *path))}" + ("" if kind == "rule" else "/")
        self._named[key] = name
        self._unfinished.add(key)
        make(name)
        self._unfinished.discard(key)
        return name

    def term(self, frame: Frame, term: Term, then: Then) -> None:
        terms.plan(frame, term, then)

    def terms(self, frame: Frame, given: Sequence[Term], then: Callable[[list[Operand]], None]) -> None:
        terms.plan_all(frame, given, then)

    def body(self, frame: Frame, body: Body, then: After) -> None:
        literals.plan(frame, body, then)

    # Functions.

    def _group(self, name: str, group: Group, world: World) -> None:
        count = group.arity if group.kind == "function" else 0
        writer = Writer(self._constants, 2 + count)
        result = writer.fresh()
        blocks = [{"stmts": block} for block in documents.blocks(self, group, writer, world, result)]
        self._add(name, group.path, [INPUT, DATA, *range(2, 2 + count)], result, blocks)

    def _add(self, name: str, path: Path, params: list[int], result: int, blocks: list[dict[str, Any]]) -> None:
        shown = [name.partition(".")[0], *path]
        self._functions.append({"name": name, "params": params, "return": result, "blocks": blocks, "path": shown})

    def prepared(self, entry: Entry) -> Rule:
        """The rule with its references taken out and its bodies in order."""
        return Ordering(self.arity, self._failed_in(entry.module)).rule(Hoisting().rule(entry.rule))

    @staticmethod
    def _failed_in(module: Module) -> Failed:
        return lambda at, message, kind: failure(module.text, module.path, at, message, kind=kind)

    def frame(self, entry: Entry, writer: Writer, world: World) -> Frame:
        return Frame(self, writer, world, self._failed_in(entry.module), entry)

    def about(self, entry: Entry, name: Path) -> Term:
        return metadata.about(entry, name, self._known)

    def _extent(self, name: str, path: Path, node: Node, world: World) -> None:
        writer = Writer(self._constants, 2)
        result, made, below = writer.fresh(), writer.fresh(), writer.fresh()
        frame = Frame(self, writer, world, lambda at, message, kind: failure("", "policy", at, message, kind=kind))
        writer.put("MakeObjectStmt", target=made)
        for child, inner in sorted(node.children.items()):
            here = (*path, child)
            if world.shadowed(here):
                continue
            if inner.group is None:
                function = self.extent(frame, 0, here, inner)
            elif inner.group.kind == "function":
                continue
            else:
                function = self.document(frame, 0, inner.group)
            target = writer.fresh()
            writer.branches(
                [
                    {
                        "type": "CallStmt",
                        "stmt": {"func": function, "args": [local(INPUT), local(DATA)], "result": target},
                    },
                    {
                        "type": "ObjectInsertStmt",
                        "stmt": {"key": self._constants.operand(child), "value": local(target), "object": made},
                    },
                ]
            )
        base: Block = []
        with writer.inside(base):
            found = writer.as_local(references.base(frame, path))
            writer.put("IsObjectStmt", source=local(found))
            writer.put("ObjectMergeStmt", a=found, b=made, target=below)
        writer.put("ResetLocalStmt", target=below)
        writer.branches(base)
        writer.branches(
            [
                {"type": "IsDefinedStmt", "stmt": {"source": below}},
                {"type": "AssignVarStmt", "stmt": {"source": local(below), "target": result}},
            ],
            [
                {"type": "IsUndefinedStmt", "stmt": {"source": below}},
                {"type": "AssignVarStmt", "stmt": {"source": local(made), "target": result}},
            ],
        )
        writer.put("ReturnLocalStmt", source=result)
        self._add(name, (*path, "/"), [INPUT, DATA], result, [{"stmts": writer.block}])

    # Queries.

    def _query(self, name: str, body: Body, text: str) -> dict[str, Any]:
        def failed(at: int, message: str, kind: str) -> ExpressionError:
            return failure(text, "query", at, message, kind=kind)

        ready, bound = Ordering(self.arity, failed).body(Hoisting().body(body), set(), set())
        writer = Writer(self._constants, 2)
        frame = Frame(self, writer, World(), failed)
        shown = sorted(name for name in bound if not name.startswith((WILDCARD, "@")))

        def answer() -> None:
            target = writer.fresh()
            writer.put("MakeObjectStmt", target=target)
            for variable in shown:
                held: Operand = frame.held[variable]
                key = self._constants.operand(variable)
                writer.put("ObjectInsertStmt", key=key, value=held, object=target)
            writer.put("ResultSetAddStmt", value=target)

        literals.plan(frame, ready, answer)
        return {"name": name, "blocks": [{"stmts": writer.block}]}
