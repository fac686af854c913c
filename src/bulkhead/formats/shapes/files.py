"""Documents known by their shape or their file's name: Compose, ECS task definitions, the engine's daemon.json."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from bulkhead.formats.shapes.model import Shape, text_of

_COMPOSE_NAME: Final = re.compile(r"(?:docker-)?compose(?:[._-].*)?\.ya?ml")


def is_compose_name(name: str) -> bool:
    return _COMPOSE_NAME.fullmatch(name) is not None


def compose(document: Any, name: str) -> Iterator[Shape]:
    """A Compose file: by its name, or because its services say where their image comes from."""
    if not isinstance(document, dict) or "apiVersion" in document:
        return
    services = document.get("services")
    named = is_compose_name(name)
    if isinstance(services, dict) and (
        named or any(isinstance(one, dict) and ("image" in one or "build" in one) for one in services.values())
    ):
        yield Shape(kind="Compose", data=document, name=text_of(document.get("name")))


def task_definition(document: Any) -> Iterator[Shape]:
    """An ECS task definition as ``register-task-definition`` takes it or ``describe-task-definition`` gives it."""
    if not isinstance(document, dict):
        return
    for path, value in (((), document), (("taskDefinition",), document.get("taskDefinition"))):
        if isinstance(value, dict) and isinstance(value.get("containerDefinitions"), list):
            yield Shape(kind="EcsTaskDefinition", data=value, name=text_of(value.get("family")), path=path)


def daemon_config(document: Any, name: str) -> Iterator[Shape]:
    if name == "daemon.json" and isinstance(document, dict):
        yield Shape(kind="DaemonConfig", data=document)
