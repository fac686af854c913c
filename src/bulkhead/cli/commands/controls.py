"""The catalogue: list, explain, profiles, stats, blindness."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bulkhead.bootstrap.root import Root
    from bulkhead.core.control import Control

NAME = "controls"
HELP = "the catalogue: list, explain ID, profiles, stats, blindness"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("list", "explain", "profiles", "stats", "blindness"))
    parser.add_argument("names", nargs="*", help="ids, aliases or patterns")
    parser.add_argument(
        "--practice",
        default="",
        help="only the controls of this practice item (K1 to K7, D1 to D8, O1 to O10, C1 to C5, P1 to P8)",
    )
    parser.add_argument(
        "--catalogue", action="append", default=[], metavar="FOLDER", help="a folder of your own controls, beside ours"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from bulkhead.bootstrap import root

    given = {"controls": tuple(arguments.catalogue)} if arguments.catalogue else {}
    with root.open_root(Path(), remember=False, given=given) as opened:
        actions = {"list": _list, "explain": _explain, "profiles": _profiles, "stats": _stats, "blindness": _blindness}
        return actions[arguments.what](arguments, opened, _chosen(arguments, opened))


def _chosen(arguments: argparse.Namespace, opened: Root) -> list[Control]:
    found = opened.catalogue.controls
    if arguments.names:
        found = tuple(
            {control.id: control for name in arguments.names for control in opened.catalogue.named(name)}.values()
        )
    if arguments.practice:
        found = tuple(control for control in found if arguments.practice.upper() in control.practices)
    return list(found)


def _list(arguments: argparse.Namespace, opened: Root, controls: list[Control]) -> int:  # noqa: ARG001 (one shape for all actions)
    import msgspec

    if arguments.format == "json":
        rows = [
            {
                "id": item.id,
                "title": item.title,
                "severity": item.severity,
                "class": item.mode,
                "practices": item.practices,
                "aliases": item.aliases,
            }
            for item in controls
        ]
        sys.stdout.buffer.write(msgspec.json.encode(rows) + b"\n")
        return 0
    for item in controls:
        sys.stdout.write(f"{item.severity:<8}  {item.mode:<7}  {item.id:<48}  {item.title}\n")
    sys.stdout.write(f"{len(controls)} controls\n")
    return 0


def _explain(arguments: argparse.Namespace, opened: Root, controls: list[Control]) -> int:  # noqa: ARG001 (one shape for all actions)
    from bulkhead.core.errors import UsageError
    from bulkhead.report import explain

    if not arguments.names:
        raise UsageError("explain which control?", hint="bulkhead controls explain CKV_K8S_16")
    sys.stdout.write("\n".join(explain.text(control) for control in controls))
    return 0


def _profiles(arguments: argparse.Namespace, opened: Root, controls: list[Control]) -> int:  # noqa: ARG001 (one shape for all actions)
    from bulkhead.bootstrap import profiles

    for name, count in profiles.names(opened.catalogue).items():
        sys.stdout.write(f"{name:<28} {count:>4} controls\n")
    return 0


def _stats(arguments: argparse.Namespace, opened: Root, controls: list[Control]) -> int:  # noqa: ARG001 (one shape for all actions)
    import msgspec

    from bulkhead.catalogue import stats

    counted = stats.count(controls)
    if arguments.format == "json":
        sys.stdout.buffer.write(msgspec.json.encode(counted) + b"\n")
    else:
        sys.stdout.write(stats.text(counted))
    return 0


def _blindness(arguments: argparse.Namespace, opened: Root, controls: list[Control]) -> int:  # noqa: ARG001 (one shape for all actions)
    from bulkhead.posture import blindness

    done = blind = 0
    for control in controls:
        for trial in blindness.trials(opened.catalogue, control):
            done += 1
            if trial.blind:
                blind += 1
                sys.stdout.write(f"{trial.control}: {trial.example} passes without {trial.need}\n")
    sys.stdout.write(f"{len(controls)} controls, {done} inputs taken away, {blind} verdicts turned to pass\n")
    return 1 if blind else 0
