"""BuildKit's own parser as judge: the same instructions, lines, flags, forms and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dockerfile
import pytest

from bulkhead.core.errors import ParseError
from bulkhead.formats.dockerfile import parse
from tests.corpora import folder

# What differs and why. The oracle splits lines and leaves the words of most instructions unchecked; BuildKit's next
# stage refuses them, and so do we.
REFUSED_BY_US = (
    "unknown instruction",
    "FROM takes an image",
    "needs an argument",
    "needs names with values",
    "HEALTHCHECK takes CMD or NONE",
    "needs a source and a destination",
    "holds no instructions",
)


def _files() -> list[Path]:
    found = [path for path in folder().rglob("*") if path.is_file() and _is_dockerfile(path.name)]
    return sorted(found)


def _is_dockerfile(name: str) -> bool:
    low = name.lower()
    return low.endswith((".dockerfile", "dockerfile", "containerfile")) or low.startswith("dockerfile.")


def _theirs(command: Any) -> tuple[Any, ...]:
    return (command.cmd.upper(), command.start_line, command.json, tuple(command.flags))


def _ours(found: dict[str, Any]) -> tuple[Any, ...]:
    inner = found.get("onbuild", found)
    return (found["cmd"], found["line"], inner["json"])


def _flag_names(flags: tuple[str, ...]) -> set[str]:
    return {flag.removeprefix("--").partition("=")[0] for flag in flags}


def _differences(data: bytes) -> list[str]:
    try:
        theirs = dockerfile.parse_string(data.decode())
    except (dockerfile.GoParseError, UnicodeDecodeError):
        theirs = None
    try:
        ours = parse(data)["instructions"]
    except ParseError as error:
        expected = theirs is None or any(reason in str(error) for reason in REFUSED_BY_US)
        return [] if expected else [f"we refuse: {error}"]
    if theirs is None:
        return ["they refuse"]
    if len(theirs) != len(ours):
        return [f"{len(theirs)} instructions, ours {len(ours)}"]
    out = []
    for command, found in zip(theirs, ours, strict=True):
        inner = found.get("onbuild", found)
        if _theirs(command)[:3] != _ours(found):
            out.append(f"{_theirs(command)} {_ours(found)}")
        # The oracle's binding shows no flags inside ONBUILD.
        if "onbuild" not in found and _flag_names(command.flags) != set(inner["flags"]):
            out.append(f"line {found['line']}: flags {command.flags} {inner['flags']}")
        if "pairs" not in inner and list(command.value) != inner["args"]:
            out.append(f"line {found['line']}: {command.value} {inner['args']}")
        if len(command.heredocs) != len(inner.get("heredocs", [])):
            out.append(f"line {found['line']}: heredocs")
    return out


def test_the_same_instructions_as_buildkit_over_all_dockerfiles_of_the_corpora() -> None:
    files = _files()
    wrong = {path.name: found for path in files if (found := _differences(path.read_bytes()))}
    assert len(files) > 100
    assert wrong == {}


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN a \\\n # c\n  b \\\n\n c\n",
        'FROM a\r\nRUN a \\\r\n  b\r\nCMD ["x"]\r\n',
        "# escape=`\nFROM a\nRUN a `\n b\\\nRUN c\n",
        'FROM a\nCOPY <<A <<-"B" /x/\nfoo\nA\n\tbar\n\tB\nRUN <<EOF cat\nx\nEOF\n',
        "FROM a\nRUN echo '<<A' $((1<<2)) <<<x\nRUN b\n",
        'FROM a\nONBUILD RUN ["x", "y"]\nONBUILD COPY --from=b c d\n',
        'FROM a\nHEALTHCHECK --interval=5s CMD ["a"]\nHEALTHCHECK NONE\nRUN ["a", b]\n',
        "\ufeffFROM a\n\n  # note\n  RUN b \\",
        "FROM a\nRUN a\\\\\nRUN b \\  \n c\n",
    ],
)
def test_the_same_on_small_texts(text: str) -> None:
    assert _differences(text.encode()) == []
