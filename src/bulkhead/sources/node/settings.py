"""The settings in force of one program: its flags, the files that they name, and what etcd takes from its environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bulkhead.core.errors import BulkheadError, ParseError, SourceError
from bulkhead.core.resource import Text
from bulkhead.formats import texts
from bulkhead.formats.shapes import kubernetes
from bulkhead.sources.machine import Machine
from bulkhead.sources.node.programs import Program

_ETCD_GROUPS: Final = {"client-transport-security": "", "peer-transport-security": "peer-"}
_OPENSHIFT: Final = ("apiServerArguments", "extendedArguments", "kubeletArguments")
_SECRET: Final = ("PASSWORD", "TOKEN")
_DROP_INS: Final = 100


def document(machine: Machine, path: str) -> dict[str, Any]:
    """The one document of a settings file, YAML or JSON.

    Raises:
        SourceError: it may not be read.
        ParseError: it is no mapping.
    """
    found = documents(machine, path)
    if len(found) != 1 or not isinstance(found[0], dict):
        raise ParseError("it is not one document of settings", where=path)
    return found[0]


def documents(machine: Machine, path: str) -> list[Any]:
    """Every document of a file. Raises as ``document`` does."""
    try:
        data = machine.content(path)
    except OSError as error:
        raise SourceError(f"it may not be read: {error.strerror}", where=path) from error
    form = "json" if data.lstrip()[:1] == b"{" else "yaml"
    loaded = texts.load(Text(path=path, format=form, data=data))
    if loaded.problems:
        raise loaded.problems[0]
    return [kubernetes.without_nulls(item) for item in loaded.documents]


def in_force(program: Program, machine: Machine) -> tuple[dict[str, Any], BulkheadError | None]:
    """What docs/resources.md says of a Component, and why its ``config`` is empty where a file that decides it was not read.

    Args:
        program: as it runs.
        machine: as the program's process sees it.

    Raises:
        BulkheadError: a file that decides the flags cannot be read.
    """
    flags = kubernetes.flags(list(program.words))
    config: dict[str, Any] = {}
    env: dict[str, str] = {}
    problem: BulkheadError | None = None
    if program.name == "etcd":
        flags, env = _etcd(machine, program, flags)
    elif "openshift-config" in flags:
        flags = {**_openshift(document(machine, text_of(flags["openshift-config"]))), **flags}
    elif "config" in flags or (program.name == "kubelet" and "config-dir" in flags):
        try:
            config = _config(machine, program.name, flags)
        except BulkheadError as error:
            problem = error
        # Controls take the flag for a sign that a file decides.
        flags = {**flags, "config": flags.get("config") or flags["config-dir"]}
    return {"flags": flags, "config": config, "source": "process", "env": env}, problem


def _config(machine: Machine, name: str, flags: Mapping[str, Any]) -> dict[str, Any]:
    config = document(machine, text_of(flags["config"])) if flags.get("config") else {}
    for path in drop_ins(machine, flags) if name == "kubelet" else ():
        config = merged(config, document(machine, path))
    return config


def drop_ins(machine: Machine, flags: Mapping[str, Any]) -> Iterator[str]:
    """The files that a kubelet lays over its settings, in their order (kubelet reference, ``--config-dir``).

    Raises:
        SourceError: the folder may not be looked into.
    """
    folder = text_of(flags.get("config-dir", ""))
    if not folder:
        return
    try:
        found = [path for path in machine.listed(folder) if path.endswith(".conf")]
    except OSError as error:
        raise SourceError(f"it may not be looked into: {error.strerror}", where=folder) from error
    if len(found) > _DROP_INS:
        raise SourceError(f"it holds more than {_DROP_INS} files of settings", where=folder)
    yield from found


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged, everything else is replaced."""
    out = dict(under)
    for name, value in over.items():
        known = out.get(name)
        out[name] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return out


def _openshift(config: Mapping[str, Any]) -> dict[str, Any]:
    """Flags as OpenShift's operators write them: name → list of texts."""
    found: dict[str, Any] = {}
    for part in _OPENSHIFT:
        listed = config.get(part)
        for name, values in listed.items() if isinstance(listed, dict) else ():
            words = [str(value) for value in values] if isinstance(values, list) else [str(values)]
            if words:
                found[str(name)] = words[0] if len(words) == 1 else words
    return found


def _etcd(machine: Machine, program: Program, flags: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A settings file decides alone; else flags are over the environment (etcd, "Configuration options")."""
    env = {}
    for word in machine.environment(program.pid):
        name, equals, value = word.partition("=")
        # Of the rest, passwords among it, nothing is kept.
        if equals and name.startswith("ETCD_") and not any(part in name for part in _SECRET):
            env[name] = value
    path = text_of(flags.get("config-file") or env.get("ETCD_CONFIG_FILE") or "")
    if not path:
        return flags, env
    found: dict[str, Any] = {}
    for name, value in document(machine, path).items():
        group = _ETCD_GROUPS.get(name)
        if group is not None and isinstance(value, dict):
            found |= {f"{group}{inner}": _word(setting) for inner, setting in value.items()}
        else:
            found[name] = _word(value)
    return {**found, "config-file": path}, {}


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def text_of(value: Any) -> str:
    """A flag's value; of one that is given more than once the last."""
    return str(value[-1]) if isinstance(value, list) else str(value)
