"""The arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from bulkhead.bootstrap import targets
from bulkhead.core.errors import UsageError

WORLDS = (
    "; docker:// is this machine's Docker engine, docker:///path/docker.sock another one, kubernetes:// the kubeconfig's current"
    " cluster, kubernetes://CONTEXT another one, node:// this machine's programs and files of Kubernetes, aws://REGION an account, gcp-inventory:PATH and azure-inventory:PATH what the clouds'"
    " tools exported"
)


def add_target(parser: argparse.ArgumentParser, more: str = "") -> None:
    parser.add_argument("target", nargs="?", default=".", help=f"a folder or a file (default: here){more}")


def add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--control",
        action="append",
        default=[],
        metavar="ID",
        help="only this control: an id, an alias (CKV_K8S_16) or a pattern; may be repeated",
    )
    parser.add_argument("--profile", default="", help="a selection of controls: see bulkhead controls profiles")


def target(arguments: argparse.Namespace) -> Path:
    """The path to work on.

    Raises:
        UsageError: there is nothing at that path.
    """
    if "://" in arguments.target or targets.is_live(arguments.target):
        raise UsageError(
            "only files can be worked on like this", where=arguments.target, hint="bulkhead scan reads live worlds"
        )
    path = Path(arguments.target)
    if any("\ud800" <= char <= "\udfff" for char in str(path.absolute())):
        raise UsageError("the path is not UTF-8", hint="rename it, or scan the folder above it")
    if not path.exists():
        raise UsageError("there is nothing at that path", where=str(path))
    return path
