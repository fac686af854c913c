"""The model that checks read: instructions in their stages, with what is in effect at each."""

from __future__ import annotations

import re
from typing import Any

from bulkhead.core.errors import ParseError
from bulkhead.formats.dockerfile import archives, instruction, packages, stages, users
from bulkhead.formats.dockerfile.expand import expand
from bulkhead.formats.dockerfile.lines import Logical, Source, read
from bulkhead.formats.model import Loaded

Json = dict[str, Any]

_REFERENCE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
_DEFAULT_SHELL = ["/bin/sh", "-c"]
_PIPEFAIL_SHELLS = frozenset({"bash", "zsh", "ash"})
_OTHER_SHELLS = ("pwsh", "powershell", "cmd")


def load(data: bytes) -> Loaded:
    """The one document of a Dockerfile: its model.

    Raises:
        ParseError: an instruction is unknown or lacks what it needs.
        LimitExceeded: the file, a line or a heredoc is too long.
    """
    return Loaded((parse(data),))


def parse(data: bytes) -> Json:
    """The model of a Dockerfile; raises as ``load`` does."""
    return build(read(data))


def build(source: Source) -> Json:
    state = _State(source)
    for index, logical in enumerate(source.logical):
        state.add(logical, index)
    if not source.logical:
        raise ParseError("holds no instructions", line=1)
    return state.finish()


class _State:
    """What earlier instructions leave behind for later ones."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.instructions: list[Json] = []
        self.stages: list[Json] = []
        self.arguments: dict[str, str | None] = {}
        self.declared: set[str] = set()
        self.env: dict[str, str] = {}
        self.shell = list(_DEFAULT_SHELL)
        self.workdir: str | None = None
        self.user: str | None = None
        self.count: dict[str, int] = {}
        self.created: dict[str, str] = {}

    def add(self, logical: Logical, index: int) -> None:
        found = instruction.read(self.source, logical, index)
        if found["cmd"] == "FROM":
            self._open_stage(found)
        found["stage"] = len(self.stages) - 1
        if self.stages:
            self.stages[-1]["instructions"].append(index)
        found["nth"] = self.count.get(found["cmd"], 0)
        self.count[found["cmd"]] = found["nth"] + 1
        # A name that stays the same when other instructions come and go, for fingerprints.
        found["name"] = f"{self._stage_name()}{found['cmd']}:{found['nth']}"
        found["shell"] = self.shell
        found["pipefail"] = _pipefail(self.shell)
        found["env"] = self.env
        if self.workdir is not None:
            found["workdir"] = self.workdir
        if self.user is not None:
            found["user"] = self.user
        instruction.add_commands(found, logical, self.source, self.shell)
        variables = frozenset(self.declared | self.env.keys())
        for command in found.get("effective", ()):
            packages.describe(command, variables)
        if found["cmd"] == "RUN":
            users.created(found["effective"], self.created)
        self._effects(found)
        self.instructions.append(found)

    def _stage_name(self) -> str:
        if not self.stages:
            return ""
        name = self.stages[-1].get("name")
        taken = any(stage.get("name") == name for stage in self.stages[:-1])
        return f"{self.stages[-1]['index'] if taken or not name else name}/"

    def _open_stage(self, found: Json) -> None:
        stage = stages.stage(found, len(self.stages), self.stages, self.arguments)
        parent = stage["base"].get("stage")
        left: Json = self.stages[parent]["leaves"] if parent is not None else {}
        stage["root"] = self.stages[parent]["root"] if parent is not None else stage["base"]
        self.stages.append(stage)
        self.env = left.get("env", {})
        self.shell = left.get("shell", list(_DEFAULT_SHELL))
        self.workdir = left.get("workdir")
        self.user = left.get("user")
        self.count = {}
        self.created = {}
        self._leave()

    def _leave(self) -> None:
        if self.stages:
            self.stages[-1]["leaves"] = {
                "env": self.env,
                "shell": self.shell,
                "workdir": self.workdir,
                "user": self.user,
            }

    def _effects(self, found: Json) -> None:
        cmd = found["cmd"]
        if cmd == "ENV":
            values = {pair["key"]: pair["value"] for pair in found["pairs"]}
            found["self_references"] = _self_references(found["pairs"], self.env.keys() | self.declared)
            self.env = self.env | values
        elif cmd == "ARG":
            for pair in found["pairs"]:
                self.declared.add(pair["key"])
                if not self.stages:
                    default = pair.get("value")
                    self.arguments[pair["key"]] = None if default is None else expand(default, self.arguments)[0]
        elif cmd == "WORKDIR":
            self.workdir = found["value"]
        elif cmd == "USER":
            self.user = found["value"]
            number = users.numeric(found["value"], self.created)
            if number:
                found["numeric"] = number
            if self.stages:
                self.stages[-1]["user_at"] = found["index"]
        elif cmd == "SHELL" and found["json"]:
            self.shell = found["args"]
        elif cmd in ("COPY", "ADD"):
            self._copy(found)
        self._leave()

    def _copy(self, found: Json) -> None:
        elements = found["args"]
        found["sources"] = [_bare(word) for word in elements[:-1]]
        found["destination"] = _bare(elements[-1])
        name = found["flags"].get("from")
        if name is not None:
            number = stages.source_stage(name, self.stages[:-1])
            found["copies"] = {"name": name} if number is None else {"name": name, "stage": number}

    def finish(self) -> Json:
        if self.stages:
            self.stages[-1]["final"] = True
        for stage in self.stages:
            left = stage.pop("leaves")
            stage["env"] = left["env"]
            for key in ("user", "workdir"):
                if left[key] is not None:
                    stage[key] = left[key]
            stage["continued"] = any(other["base"].get("stage") == stage["index"] for other in self.stages)
        archives.mark(self.instructions)
        return {
            "directives": self.source.directives,
            "escape": self.source.escape,
            "stages": self.stages,
            "instructions": self.instructions,
            "args_before_from": {name: value for name, value in self.arguments.items() if value is not None},
            "comments": [{"line": comment.line, "text": comment.text} for comment in self.source.comments],
        }


def _bare(word: str) -> str:
    return word.strip("\"'")


def _pipefail(shell: list[str]) -> bool:
    """Whether a failing command inside a pipe fails the whole; shells of other families are not judged."""
    program = shell[0].replace("\\", "/").rsplit("/", 1)[-1] if shell else ""
    if program.lower().startswith(_OTHER_SHELLS):
        return True
    options = [word for word in shell[1:] if word.startswith("-") and not word.startswith("--") and "o" in word]
    return program in _PIPEFAIL_SHELLS and bool(options) and "pipefail" in shell


def _self_references(pairs: list[dict[str, str]], known: set[str]) -> list[str]:
    """Names defined and used in one ENV, where the use still sees the value before it."""
    users: dict[str, set[int]] = {}
    for index, pair in enumerate(pairs):
        for match in _REFERENCE.finditer(pair["value"]):
            users.setdefault(match[1] or match[2] or "", set()).add(index)
    return [
        pair["key"]
        for index, pair in enumerate(pairs)
        if pair["key"] not in known and users.get(pair["key"], set()) - {index}
    ]
