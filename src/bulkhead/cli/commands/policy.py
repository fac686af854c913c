"""Policies of other tools: their tests, questions to them, and what they say of objects."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from bulkhead.cli import rendering

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bulkhead.app.policies.model import PolicyFiles, Said
    from bulkhead.app.policies.testing import Tested

NAME = "policy"
HELP = "Gatekeeper, ValidatingAdmissionPolicy, Rego: test what came with them, eval a query, apply them to manifests"
_RANK = ("audit", "warn", "deny")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="what", required=True, metavar="test|eval|apply")
    test = actions.add_parser("test", help="run suites of gator and rules test_… of Rego, unmodified")
    test.add_argument("path", nargs="?", default=".")
    test.add_argument("--engine", choices=("own", "Rego"), default="own", help="Rego: also where a template has CEL")
    _add_version(test)
    test.add_argument("--format", choices=("table", "json"), default="table")
    ask = actions.add_parser("eval", help="answer a query of Rego")
    ask.add_argument("query")
    ask.add_argument(
        "--data", "-d", action="append", default=[], metavar="PATH", help="modules, and JSON or YAML below data"
    )
    ask.add_argument("--input", "-i", default="", metavar="FILE", help="JSON or YAML; - for standard input")
    ask.add_argument(
        "--strict", action="store_true", help="an error of a built-in ends it, rather than being undefined"
    )
    ask.add_argument("--profile", action="store_true", help="which statements ran, how often and how long")
    _add_version(ask)
    ask.add_argument("--format", choices=("pretty", "json"), default="pretty")
    apply = actions.add_parser("apply", help="hold policies against manifests; nothing is changed")
    apply.add_argument("policies", nargs="+", metavar="POLICIES", help="files or folders")
    apply.add_argument("--to", required=True, metavar="PATH", help="manifests")
    apply.add_argument("--fail-on", choices=_RANK, default="deny", help="what makes the exit code 1 (default: deny)")
    apply.add_argument("--format", choices=("table", "json"), default="table")


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rego-version", type=int, choices=(0, 1), default=None,
        help="of the language (default: 1, and 0 for a folder of v0)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    return {"test": _test, "eval": _eval, "apply": _apply}[arguments.what](arguments)


def _test(arguments: argparse.Namespace) -> int:
    from bulkhead.app.policies import testing
    from bulkhead.bootstrap import policyfiles
    from bulkhead.core.errors import UsageError

    files, found = policyfiles.folder(arguments.path)
    engine = "" if arguments.engine == "own" else arguments.engine
    counts = dict.fromkeys(("pass", "fail", "skip", "refused"), 0)
    for tested in testing.run(found, files, engine=engine, version=arguments.rego_version):
        counts[tested.outcome] += 1
        _tell_tested(arguments, tested)
    _tell_gaps(found)
    if not any(counts.values()) and not found.gaps:
        # A path that is misspelt is no test that holds.
        raise UsageError("there are no tests", where=arguments.path, hint="suites of gator, or rules test_… of Rego")
    if arguments.format == "json":
        rendering.json({"counts": counts})
    else:
        said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        sys.stdout.write((said or "no test was run") + "\n")
    if counts["fail"]:
        return 1
    return 3 if counts["refused"] or found.gaps else 0


def _tell_tested(arguments: argparse.Namespace, tested: Tested) -> None:
    from bulkhead.report.text import one_line

    if arguments.format == "json":
        rendering.json({"file": tested.file, "name": tested.name, "outcome": tested.outcome, "message": tested.message})
    elif tested.outcome != "pass":
        message = f": {tested.message}" if tested.message else ""
        sys.stdout.write(one_line(f"{tested.outcome:<8} {tested.file} {tested.name}{message}") + "\n")


def _tell_gaps(*found: PolicyFiles) -> None:
    for files in found:
        for gap in files.gaps:
            at = f":{gap.line}" if gap.line else ""
            rendering.talk(f"not read: {gap.where}{at}: {gap.reason}")


def _eval(arguments: argparse.Namespace) -> int:
    from bulkhead.app.policies import asking
    from bulkhead.bootstrap import policyfiles
    from bulkhead.core.errors import ParseError, SourceError
    from bulkhead.engines.rego.errors import RegoError

    read = [policyfiles.whole(path) for path in arguments.data]
    _tell_gaps(*read)
    if any(files.gaps for files in read):
        # An answer without what was not read might be a wrong one.
        return 3
    data: dict[str, Any] = {}
    for document in (item for files in read for item in files.documents):
        if not isinstance(document.value, dict) or (taken := set(data) & set(document.value)):
            reason = f"data.{min(taken)} is there already" if isinstance(document.value, dict) else "data is an object"
            raise ParseError(reason, where=document.file)
        data |= document.value
    modules = [module for files in read for module in files.modules]
    try:
        answer = asking.ask(
            modules, arguments.query, data=data, version=arguments.rego_version, profile=arguments.profile,
            strict=arguments.strict, **({"given": _input(arguments.input)} if arguments.input else {}),
        )  # fmt: skip
    except RegoError as error:
        raise SourceError(f"there is no answer: {error}", where=arguments.query) from error
    if answer.version == 0 and arguments.rego_version is None:
        rendering.talk("the modules are read as Rego v0, since they are none of v1 (--rego-version says which)")
    for note in answer.notes:
        rendering.talk(note)
    shown: list[Any] = [result["value"] if answer.lone else result for result in answer.results]
    if arguments.format == "json":
        rendering.json({"result": shown})
    else:
        _pretty(shown)
    if answer.profile is not None:
        for spot, count, seconds in zip(
            answer.profile.spots, answer.profile.counts, answer.profile.seconds, strict=True
        ):
            if count:
                rendering.talk(
                    f"{seconds * 1e6:10.0f} us {count:8} times  {spot.function} {spot.kind} {spot.file}:{spot.row}"
                )
    return 0


def _pretty(results: Sequence[Any]) -> None:
    import msgspec

    if not results:
        sys.stdout.write("undefined\n")
    for result in results:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")


def _input(path: str) -> Any:
    from pathlib import Path

    from bulkhead.bootstrap import policyfiles
    from bulkhead.core.errors import ParseError

    if path == "-":
        from bulkhead.formats import jsontext
        from bulkhead.formats.model import BOUNDS

        loaded = jsontext.load(sys.stdin.buffer.read(BOUNDS.size + 1))
        if loaded.problems:
            raise ParseError(loaded.problems[0].message, where="standard input")
        values = list(loaded.documents)
    else:
        found = policyfiles.whole(path)
        if found.gaps:
            raise ParseError(found.gaps[0].reason, where=found.gaps[0].where)
        values = [item.value for item in found.documents]
    if len(values) != 1:
        raise ParseError(f"there are {len(values)} documents, and input is one", where=Path(path).name)
    return values[0]


def _apply(arguments: argparse.Namespace) -> int:
    from bulkhead.app.policies import applying, loading
    from bulkhead.bootstrap import policyfiles

    read = [policyfiles.whole(path) for path in arguments.policies]
    things = policyfiles.whole(arguments.to)
    policies = loading.load(item for files in read for item in files.documents)
    objects = applying.objects(things.documents)
    found = applying.apply(policies, objects)
    for said in found:
        _tell_said(arguments, said)
    _tell_gaps(*read, things)
    for refused in policies.refused:
        rendering.talk(f"refused: {refused.file}: {refused.name}: {refused.reason}")
    for note in policies.notes:
        rendering.talk(note)
    if len(objects) < len(things.documents):
        rendering.talk(f"{len(things.documents) - len(objects)} documents are no objects of Kubernetes")
    if arguments.format == "table":
        _summary(found, len(objects), len(policies.constraints) + len(policies.bound))
    least = _RANK.index(arguments.fail_on)
    if any(_RANK.index(said.action) >= least and not said.error for said in found):
        return 1
    incomplete = (
        policies.refused or things.gaps or any(files.gaps for files in read) or any(said.error for said in found)
    )
    return 3 if incomplete else 0


def _tell_said(arguments: argparse.Namespace, said: Said) -> None:
    import msgspec

    from bulkhead.report.text import one_line

    if arguments.format == "json":
        rendering.json(rendering.masked(msgspec.to_builtins(said)))
        return
    what = f"{said.action}, error" if said.error else said.action
    sys.stdout.write(
        one_line(f"{what:<11} {said.policy}  {said.object} ({said.file})  {rendering.masked(said.message)}") + "\n"
    )


def _summary(found: Iterable[Said], objects: int, policies: int) -> None:
    counts: dict[str, int] = {}
    for said in found:
        counts[said.action] = counts.get(said.action, 0) + 1
    told = ", ".join(f"{count} {action}" for action, count in counts.items()) or "nothing to say"
    sys.stdout.write(f"{policies} policies, {objects} objects: {told}\n")
