"""Shell text into simple commands, with where each stands.

Reads POSIX shell and the usual bash forms: quotes, expansions, substitutions, groups, compound commands,
redirections. One pass, bounded depth; what cannot be read is reported in ``Script.errors`` and never raised.
"""

from __future__ import annotations

import re

import msgspec

MAX_DEPTH = 40
MAX_COMMANDS = 4_000

_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()]+")
_BLANK = re.compile(r"[ \t\r]+|\\\n")
_OPERATOR = re.compile(r"&&|\|\||;;&|;;|;&|\|&|\||;|&(?!>)|\n")
_REDIRECT = re.compile(r"(?:\d+|\{\w+\})?(?:<<<|<<-?|<>|>>|>\||<&|>&|<(?!\()|>(?!\())|&>>?")
_NAME = re.compile(r"[A-Za-z_]\w*|[0-9?$!#@*-]")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[[^\]\s]*\])?\+?=")
_DOUBLE_PLAIN = re.compile(r"[^\"\\$`]+")
_BRACE_PLAIN = re.compile(r"[^}\"'\\$`]+")
_PAREN_PLAIN = re.compile(r"[^()'\"\\]+")
_SKIPPED = frozenset({"then", "else", "elif", "if", "while", "until", "do", "done", "fi", "{", "}", "!"})


class Word(msgspec.Struct):
    """``text`` has its quotes removed and its expansions as written, ``$x`` as ``${x}``."""

    text: str
    start: int
    end: int
    literal: bool


class Command(msgspec.Struct):
    """A simple command. ``operator`` joins it to what follows; equal ``pipeline`` numbers are one pipeline.

    ``level`` counts the substitutions it stands inside; ``condition`` tells that it is ``[`` or ``[[``.
    """

    start: int
    end: int
    words: list[Word] = msgspec.field(default_factory=list)
    env: dict[str, str] = msgspec.field(default_factory=dict)
    redirects: list[tuple[str, str]] = msgspec.field(default_factory=list)
    operator: str = ""
    pipeline: int = 0
    subshell: bool = False
    level: int = 0
    condition: bool = False


class Script(msgspec.Struct):
    commands: list[Command]
    errors: list[str]


def parse(text: str) -> Script:
    """The simple commands of a script in the order they stand, those inside substitutions included."""
    reader = _Reader(text)
    while reader.at < reader.size:
        reader.sequence("", subshell=False)
        if reader.at < reader.size:
            reader.fail(f"unexpected {reader.text[reader.at]!r}")
            reader.at += 1
    return Script(reader.commands, reader.errors)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.size = len(text)
        self.at = 0
        self.commands: list[Command] = []
        self.errors: list[str] = []
        self.depth = 0
        self.nesting = 0
        self.pipeline = 0
        self.pipelines = 0
        self.ticks = False  # true inside backquotes, where the next backquote closes

    def fail(self, message: str) -> None:
        if len(self.errors) < 10:
            self.errors.append(f"{message} at offset {self.at}")

    def blanks(self) -> None:
        text = self.text
        while self.at < self.size and text[self.at] in " \t\r\\":
            match = _BLANK.match(text, self.at)
            if not match:
                return
            self.at = match.end()

    # -- lists of commands

    def sequence(self, closer: str, *, subshell: bool) -> None:
        """Commands up to ``closer``, which is left unread."""
        self.depth += 1
        if self.depth > MAX_DEPTH or len(self.commands) > MAX_COMMANDS:
            self.fail("nested too deep" if self.depth > MAX_DEPTH else "too many commands")
            self.at = self.size
        cases: list[bool] = []  # one entry for each open case; true while a pattern is expected
        outer = self.pipeline
        self._new_pipeline()
        while self.at < self.size:
            self.blanks()
            if self.at >= self.size or (closer and self.text[self.at] == closer and not (cases and cases[-1])):
                break
            if cases and cases[-1] and self._pattern(cases):
                continue
            if not self._step(cases, subshell=subshell):
                break
        self.pipeline = outer
        self.depth -= 1

    def _new_pipeline(self) -> None:
        self.pipelines += 1
        self.pipeline = self.pipelines

    def _step(self, cases: list[bool], *, subshell: bool) -> bool:
        char = self.text[self.at]
        if char == "#":
            self._comment()
        elif match := _OPERATOR.match(self.text, self.at):
            self.at = match.end()
            self._join(match[0], cases)
        elif self.text.startswith("((", self.at):
            self._balanced()
        elif char == "(":
            self.at += 1
            self.sequence(")", subshell=True)
            self.at += 1
        elif char == ")":
            return False
        else:
            before = self.at
            self._command(cases, subshell=subshell)
            if self.at == before:
                self.fail(f"unexpected {char!r}")
                self.at += 1
        return True

    def _join(self, operator: str, cases: list[bool]) -> None:
        if operator.startswith(";;") or operator == ";&":
            if cases:
                cases[-1] = True
            operator = ";"
        # The operator belongs to the last command of this level, not to one inside its substitutions.
        last = next((command for command in reversed(self.commands) if command.level == self.nesting), None)
        pipe = operator in ("|", "|&")
        if last and (not last.operator or (pipe and last.operator == ";")):
            # After a group the pipe takes the group's output, so it also takes that of its last command.
            last.operator = ";" if operator == "\n" else operator
        if not pipe:
            self._new_pipeline()

    def _comment(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = self.size if end < 0 else end

    def _pattern(self, cases: list[bool]) -> bool:
        """Skip one pattern of a case, or close the case at esac."""
        match = re.compile(r"\s*").match(self.text, self.at)
        self.at = match.end() if match else self.at
        if self.text.startswith("esac", self.at):
            self.at += 4
            cases.pop()
            return True
        if self.text[self.at : self.at + 1] == "#":
            self._comment()
            return True
        if self.text[self.at : self.at + 1] == "(":
            self.at += 1
        while self.at < self.size and self.text[self.at] != ")":
            before = self.at
            self.word()
            if self.at == before:
                self.at += 1
        self.at += 1
        cases[-1] = False
        return True

    # -- one command

    def _command(self, cases: list[bool], *, subshell: bool) -> None:
        slot = len(self.commands)
        command = Command(self.at, self.at, pipeline=self.pipeline, subshell=subshell, level=self.nesting)
        while self.at < self.size:
            self.blanks()
            if self.at >= self.size:
                break
            char = self.text[self.at]
            if char == "#" or _OPERATOR.match(self.text, self.at):
                break
            redirect = _REDIRECT.match(self.text, self.at) if char in "<>&{0123456789" else None
            if redirect:
                self.at = redirect.end()
                self.blanks()
                target = self.word()
                command.redirects.append((redirect[0], target.text))
                command.end = self.at
                continue
            if char == "(" and len(command.words) == 1 and re.compile(r"\(\s*\)").match(self.text, self.at):
                self.at = self.text.index(")", self.at) + 1
                return
            if char in "()" or (char == "`" and self.ticks):
                break
            if not command.words and self._assignment(command):
                continue
            word = self.word()
            if word.end == word.start:
                break
            raw = self.text[word.start : word.end]
            if not command.words and raw in _SKIPPED:
                return
            if not command.words and raw in _COMPOUND:
                _COMPOUND[raw](self, cases)
                return
            if not command.words:
                command.start = word.start if not command.env else command.start
                command.condition = raw in ("[", "[[")
            command.words.append(word)
            command.end = word.end
            if raw == "[[":
                self._double_bracket()
                command.end = self.at
        if command.words:
            self.commands.insert(slot, command)

    def _assignment(self, command: Command) -> bool:
        match = _ASSIGNMENT.match(self.text, self.at)
        if not match:
            return False
        self.at = match.end()
        if self.text[self.at : self.at + 1] == "(":
            begin = self.at
            self._balanced()
            command.env[match[1]] = self.text[begin : self.at]
        else:
            command.env[match[1]] = self.word().text
        command.end = self.at
        return True

    def _double_bracket(self) -> None:
        while self.at < self.size:
            match = re.compile(r"[\s&|<>();!]+").match(self.text, self.at)
            if match:
                self.at = match.end()
            word = self.word()
            if self.text[word.start : word.end] == "]]":
                return
            if word.start == word.end and not match:
                self.at += 1

    def _case(self, cases: list[bool]) -> None:
        self.blanks()
        self.word()
        match = re.compile(r"\s*in\b").match(self.text, self.at)
        if match:
            self.at = match.end()
            cases.append(True)
        else:
            self.fail("case without in")

    def _esac(self, cases: list[bool]) -> None:
        if cases:
            cases.pop()

    def _for(self, _cases: list[bool]) -> None:
        self.blanks()
        if self.text.startswith("((", self.at):
            self._balanced()
            return
        while self.at < self.size:
            self.blanks()
            if self.at >= self.size or self.text[self.at] in ";\n&|()":
                return
            word = self.word()
            if word.start == word.end or self.text[word.start : word.end] == "do":
                return

    def _function(self, _cases: list[bool]) -> None:
        self.blanks()
        self.word()
        match = re.compile(r"\s*\(\s*\)").match(self.text, self.at)
        if match:
            self.at = match.end()

    # -- words

    def word(self) -> Word:
        """The word that begins here; empty when none does."""
        text, start = self.text, self.at
        plain = _PLAIN.match(text, start)
        if plain:
            self.at = plain.end()
            if self.at >= self.size or text[self.at] in " \t\n;&|":
                return Word(plain[0], start, self.at, literal=True)
        parts = [plain[0]] if plain else []
        literal = True
        while self.at < self.size:
            char = text[self.at]
            if match := _PLAIN.match(text, self.at):
                parts.append(match[0])
                self.at = match.end()
            elif char == "\\":
                parts.append(text[self.at + 1 : self.at + 2].replace("\n", ""))
                self.at = min(self.at + 2, self.size)
            elif char == "'":
                parts.append(self._single())
            elif char == '"':
                literal = self._double(parts) and literal
            elif char == "`" and self.ticks:
                break
            elif char in "$`":
                piece = self._expansion()
                literal = literal and piece == "$"
                parts.append(piece)
            elif char in "<>" and text.startswith("(", self.at + 1):
                parts.append(self._substitution(2, ")"))
                literal = False
            elif char == "(" and parts and parts[-1][-1:] in ("?", "*", "+", "@", "!"):
                begin = self.at
                self._balanced()
                parts.append(text[begin : self.at])
            else:
                break
        return Word("".join(parts), start, self.at, literal)

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            self.fail("single quote without end")
            end = self.size
        piece = self.text[self.at + 1 : end]
        self.at = end + 1
        return piece

    def _double(self, parts: list[str]) -> bool:
        """Read a double-quoted stretch into ``parts``; whether it held no expansion."""
        text, literal = self.text, True
        self.at += 1
        while self.at < self.size:
            char = text[self.at]
            if char == '"' or (char == "`" and self.ticks):
                self.at += char == '"'
                return literal
            if match := _DOUBLE_PLAIN.match(text, self.at):
                parts.append(match[0])
                self.at = match.end()
            elif char == "\\":
                following = text[self.at + 1 : self.at + 2]
                parts.append("" if following == "\n" else following if following in '"\\$`' else "\\" + following)
                self.at = min(self.at + 2, self.size)
            else:
                piece = self._expansion()
                literal = literal and piece == "$"
                parts.append(piece)
        self.fail("double quote without end")
        return literal

    def _expansion(self) -> str:
        text = self.text
        if text[self.at] == "`":
            return self._substitution(1, "`")
        if text.startswith("$((", self.at):
            begin = self.at
            self.at += 1
            self._balanced()
            return text[begin : self.at]
        if text.startswith("$(", self.at):
            return self._substitution(2, ")")
        if text.startswith("${", self.at):
            return self._parameter()
        if text.startswith("$'", self.at):
            return self._ansi()
        match = _NAME.match(text, self.at + 1)
        if match:
            self.at = match.end()
            return f"${{{match[0]}}}"
        self.at += 1
        return "$" if not text.startswith('"', self.at) else ""

    def _substitution(self, opening: int, closer: str) -> str:
        begin = self.at
        self.at += opening
        self.nesting += 1
        ticks, self.ticks = self.ticks, closer == "`"
        self.sequence(closer, subshell=True)
        self.ticks = ticks
        self.nesting -= 1
        if self.at >= self.size:
            self.fail("substitution without end")
        self.at = min(self.at + 1, self.size)
        return self.text[begin : self.at]

    def _parameter(self) -> str:
        begin = self.at
        self.at += 2
        self.depth += 1
        while self.at < self.size and self.depth <= MAX_DEPTH:
            char = self.text[self.at]
            if char == "}":
                self.at += 1
                self.depth -= 1
                return self.text[begin : self.at]
            if match := _BRACE_PLAIN.match(self.text, self.at):
                self.at = match.end()
            elif char == "\\":
                self.at = min(self.at + 2, self.size)
            elif char == '"':
                self._double([])
            elif char in "$`":
                self._expansion()
            else:
                self.at += 1
        self.depth -= 1
        self.fail("parameter expansion without end")
        return self.text[begin : self.at]

    def _ansi(self) -> str:
        begin = self.at + 2
        self.at = begin
        while self.at < self.size and self.text[self.at] != "'":
            self.at += 2 if self.text[self.at] == "\\" else 1
        piece = self.text[begin : self.at]
        self.at = min(self.at + 1, self.size)
        return piece

    def _balanced(self) -> None:
        """Skip a parenthesised stretch whose content holds no commands we read."""
        level = 0
        while self.at < self.size:
            char = self.text[self.at]
            if match := _PAREN_PLAIN.match(self.text, self.at):
                self.at = match.end()
            elif char == "'":
                self._single()
            elif char == '"':
                self._double([])
            else:
                level += (char == "(") - (char == ")")
                self.at = min(self.at + (2 if char == "\\" else 1), self.size)
                if level == 0 and char == ")":
                    return
        self.fail("parenthesis without end")


_COMPOUND = {
    "case": _Reader._case,  # noqa: SLF001 (the table belongs to the class above)
    "esac": _Reader._esac,  # noqa: SLF001
    "for": _Reader._for,  # noqa: SLF001
    "select": _Reader._for,  # noqa: SLF001
    "function": _Reader._function,  # noqa: SLF001
}
