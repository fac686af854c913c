"""Shell commands as checks see them: name, flags, words, and what they run in turn."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from bulkhead.formats.dockerfile import shell
from bulkhead.formats.dockerfile.lines import Logical

MAX_NESTED = 6

# Programs that run their arguments, with their options that take a value. The shell's own ones vanish (below).
_WRAPPERS: dict[str, frozenset[str]] = {
    "sudo": frozenset({"-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U", "-D", "-R", "-T", "--user", "--group"}),
    "doas": frozenset({"-u", "-C"}),
    "env": frozenset({"-u", "-C", "--unset", "--chdir"}),
    "gosu": frozenset(),
    "su-exec": frozenset(),
    "nohup": frozenset(),
    "time": frozenset({"-f", "-o"}),
    "nice": frozenset({"-n"}),
    "ionice": frozenset({"-c", "-n", "-p"}),
    "timeout": frozenset({"-s", "-k", "--signal", "--kill-after"}),
    "xargs": frozenset({"-n", "-I", "-P", "-d", "-L", "-s", "-a", "-E"}),
    "chronic": frozenset(),
    "eatmydata": frozenset(),
    "setarch": frozenset(),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
}
_OPERANDS = {"gosu": 1, "su-exec": 1, "timeout": 1, "setarch": 1}
_TRANSPARENT = frozenset({"builtin", "command", "exec", "busybox"})
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh", "su"})


class Listing(msgspec.Struct):
    """The commands of one instruction.

    Attributes:
        commands: those that are written, in order.
        effective: those and the ones they run (``sudo x``, ``sh -c 'x'``), whose ``via`` names the runner.
        pieces: the written ones outside substitutions, each with the source text ``before`` it; with ``head`` and
            ``tail`` they give the instruction's source again.
        pipes: whether a pipe stands anywhere.
    """

    commands: list[dict[str, Any]] = msgspec.field(default_factory=list)
    effective: list[dict[str, Any]] = msgspec.field(default_factory=list)
    pieces: list[dict[str, Any]] = msgspec.field(default_factory=list)
    errors: list[str] = msgspec.field(default_factory=list)
    head: str = ""
    tail: str = ""
    pipes: bool = False
    placed: bool = False
    spans: list[tuple[int, int, int]] = msgspec.field(default_factory=list)


def none() -> Listing:
    """For shells whose language we do not read."""
    return Listing()


def of_text(text: str) -> Listing:
    return _listing(text, 0)


def of_arguments(argv: list[str]) -> Listing:
    """The exec form: one command without a shell."""
    found = Listing()
    if argv:
        words = [shell.Word(word, 0, 0, literal=True) for word in argv]
        command = shell.Command(0, 0, words=words)
        entry = _entry(command, " ".join(argv))
        entry["position"] = 0
        found.commands = [entry]
        found.effective = [entry, *_inner(entry, 0)]
        found.pipes = any(inner["operator"] in ("|", "|&") for inner in found.effective)
    return found


def _listing(text: str, depth: int) -> Listing:
    script = shell.parse(text)
    found = Listing(errors=script.errors)
    for command in script.commands:
        if command.operator in ("|", "|&"):
            found.pipes = True
        if command.condition:
            continue
        entry = _entry(command, text[command.start : command.end])
        entry["position"] = len(found.commands)
        found.commands.append(entry)
        found.spans.append((command.start, command.end, command.level))
        found.effective.append(entry)
        found.effective.extend(_inner(entry, depth))
    return found


def _entry(command: shell.Command, text: str) -> dict[str, Any]:
    words = run_words(command)
    argv = [word.text for word in words]
    name = argv[0].rsplit("/", 1)[-1] if words[0].literal else ""
    feeds = [operator for operator, _ in command.redirects if operator.startswith("<")]
    return {
        "name": name,
        "argv": argv,
        "flags": flags(argv[1:]),
        "words": operands(argv[1:]),
        "options": options(argv[1:]),
        "env": command.env,
        "operator": command.operator,
        "pipeline": command.pipeline,
        "subshell": command.subshell,
        "text": text,
        "via": "",
        "stdin": "heredoc" if any(o in ("<<", "<<-") for o in feeds) else "file" if feeds else "",
        "redirects": [target for operator, target in command.redirects if not operator.startswith("<")],
    }


def run_words(command: shell.Command) -> list[shell.Word]:
    """The words of what is run: ``exec x`` and its like run x."""
    words = command.words
    while len(words) > 1 and words[0].text in _TRANSPARENT and not words[1].text.startswith("-"):
        words = words[1:]
    return words


def flags(args: list[str]) -> list[str]:
    """Long names whole, short ones letter by letter, dashes and values taken off; repeated ones repeat."""
    found: list[str] = []
    for arg in args:
        if len(arg) < 2 or arg[0] != "-" or arg == "--":
            continue
        if arg[1] == "-":
            found.append(arg[2:].partition("=")[0])
        else:
            found.extend(arg[1:])
    return found


def options(args: list[str]) -> dict[str, str]:
    """The word after each flag, or after its equals sign; whether the flag takes one is for the reader to know."""
    found: dict[str, str] = {}
    for position, arg in enumerate(args):
        if len(arg) < 2 or arg[0] != "-" or arg == "--":
            continue
        name, separator, value = arg.partition("=")
        if not separator:
            value = args[position + 1] if position + 1 < len(args) else ""
        for flag in [name[2:]] if arg[1] == "-" else name[1:]:
            found.setdefault(flag, value)
    return found


def operands(args: list[str], *, valued: frozenset[str] = frozenset()) -> list[str]:
    """Words that are not flags, nor the value after one of the ``valued`` flags (names without dashes)."""
    found: list[str] = []
    skip = False
    for arg in args:
        flag = len(arg) > 1 and arg[0] == "-" and arg != "--"
        if not skip and not flag:
            found.append(arg)
        skip = flag and "=" not in arg and not valued.isdisjoint(flags([arg])) if valued else False
    return found


def _inner(entry: dict[str, Any], depth: int) -> list[dict[str, Any]]:
    """The commands that a command runs in turn."""
    name, argv = entry["name"], entry["argv"]
    if depth >= MAX_NESTED:
        return []
    if name in _SHELLS:
        script = _script(argv)
        return [_through(inner, name) for inner in _listing(script, depth + 1).effective] if script else []
    if name not in _WRAPPERS:
        return []
    at, operands_left = 1, _OPERANDS.get(name, 0)
    env: dict[str, str] = {}
    while at < len(argv):
        arg = argv[at]
        if arg == "--":
            at += 1
            break
        if arg.startswith("-") and len(arg) > 1:
            at += 2 if arg in _WRAPPERS[name] else 1
        elif "=" in arg and name in ("env", "sudo"):
            key, _, env[key] = arg.partition("=")
            at += 1
        elif operands_left:
            operands_left -= 1
            at += 1
        else:
            break
    rest = argv[at:]
    if not rest:
        return []
    words = [shell.Word(word, 0, 0, literal="$" not in word and "`" not in word) for word in rest]
    inner = _entry(shell.Command(0, 0, words=words, env=entry["env"] | env, operator=entry["operator"]), entry["text"])
    inner["pipeline"], inner["subshell"] = entry["pipeline"], entry["subshell"]
    return [_through(found, name) for found in (inner, *_inner(inner, depth + 1))]


def _through(entry: dict[str, Any], name: str) -> dict[str, Any]:
    entry["via"] = f"{name} {entry['via']}".strip()
    return entry


_BUILTINS = frozenset(
    {
        ".",
        ":",
        "alias",
        "cd",
        "eval",
        "exit",
        "export",
        "read",
        "set",
        "shift",
        "source",
        "trap",
        "ulimit",
        "umask",
        "unset",
    },
)


def exec_form(text: str) -> str:
    """The JSON array that runs what a shell would run; empty when the text needs a shell."""
    script = shell.parse(text)
    if len(script.commands) != 1 or script.errors:
        return ""
    command = script.commands[0]
    words = command.words[1:] if command.words[0].text == "exec" else command.words
    plain = bool(words) and not (command.operator or command.redirects or command.env or command.condition)
    plain = plain and text.strip() == text[command.start : command.end].strip()
    # A pattern or a tilde is the shell's to expand, unless quotes keep it from that.
    bare = all(not set(text[word.start : word.end]) & set("*?[~{#") or text[word.start] in "'\"" for word in words)
    if not plain or not bare or not all(word.literal for word in words) or words[0].text in _BUILTINS:
        return ""
    return json.dumps([word.text for word in words])


def _script(argv: list[str]) -> str:
    for index, arg in enumerate(argv[1:], 1):
        if arg == "--command" or (arg.startswith("-") and not arg.startswith("--") and arg.endswith("c")):
            return argv[index + 1] if index + 1 < len(argv) else ""
    return ""


def place(listing: Listing, logical: Logical, offset: int, text: str) -> None:
    """Cut the instruction's source at its commands, so that a repair can be written as text between and inside."""
    at = logical.start
    last: dict[str, Any] | None = None
    for entry, (start, end, level) in zip(listing.commands, listing.spans, strict=True):
        if level:
            continue
        begin, finish = logical.origin(offset + start), logical.origin_end(offset + end)
        if begin < at:
            continue
        between = text[at:begin].replace("\r\n", "\n")
        if last is None:
            listing.head = between
            entry["before"] = ""
        else:
            entry["before"] = between
        entry["text"] = text[begin:finish].replace("\r\n", "\n")
        listing.pieces.append(entry)
        last, at = entry, finish
    listing.tail = text[at : logical.end].replace("\r\n", "\n")
    listing.placed = True
