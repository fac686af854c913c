from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.formats.dockerfile import shell


def _names(text: str) -> list[str]:
    return [command.words[0].text for command in shell.parse(text).commands]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a && b || c; d | e & f", ["a", "b", "c", "d", "e", "f"]),
        ('if [ -z "$X" ]; then a; elif b; then c; else d; fi', ["[", "a", "b", "c", "d"]),
        ("for i in $(ls | sort); do rm $i; done && z", ["ls", "sort", "rm", "z"]),
        ('case "$x" in a|b) foo x ;; *) bar;; esac && baz', ["foo", "bar", "baz"]),
        ("f() { a; }; function g { b; }; f", ["a", "b", "f"]),
        ("(cd x && y) || { z; }", ["cd", "y", "z"]),
        ("A=1 B=$(foo) make", ["make", "foo"]),
        ("A=1; X=(a b); b", ["b"]),
        ("[[ $a =~ ^(x|y)$ && -n $b ]] && c", ["[[", "c"]),
        ("echo `uname -m` | tee >(cat)", ["echo", "uname", "tee", "cat"]),
        ("while read -r l; do x; done < file", ["read", "x"]),
        ("echo 'a && b' \"c | d\" # e; f\ng", ["echo", "g"]),
        ("a &>/dev/null && b 2>&1", ["a", "b"]),
        ("time -p a; ! b", ["time", "b"]),
        ("until a; do b; done", ["a", "b"]),
        ("for ((i=0; i<3; i++)); do a; done", ["a"]),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    assert _names(text) == names


def test_words_lose_quotes_and_keep_variables() -> None:
    script = shell.parse("apt-get install \"foo=1.*\" 'b c' $V ${W:-x} a\\ b $'q'")
    assert [word.text for word in script.commands[0].words] == [
        "apt-get", "install", "foo=1.*", "b c", "${V}", "${W:-x}", "a b", "q",
    ]  # fmt: skip
    assert not script.errors


def test_operators_and_pipelines() -> None:
    commands = shell.parse("a $(b | c) | d && e").commands
    assert [(command.words[0].text, command.operator, command.level) for command in commands] == [
        ("a", "|", 0), ("b", "|", 1), ("c", "", 1), ("d", "&&", 0), ("e", "", 0),
    ]  # fmt: skip
    assert commands[0].pipeline == commands[3].pipeline != commands[1].pipeline == commands[2].pipeline


@pytest.mark.parametrize("text", ["echo 'a", 'echo "a', "echo $(a", "echo `a", "${a", "(a", "a )", "((1", "case x"])
def test_what_cannot_be_read_is_an_error_value(text: str) -> None:
    script = shell.parse(text)
    assert script.errors or text == "(a"


@given(st.text(alphabet="ab \t\n'\"\\$`(){};&|<>#=[]!*", max_size=120))
def test_any_text_ends_and_stays_inside(text: str) -> None:
    for command in shell.parse(text).commands:
        assert 0 <= command.start <= command.end <= len(text) + 2
        assert command.words


@pytest.mark.parametrize("unit", ["$(", "${", "`", "(", "((", "$((", '"$(', "case x in ", "{ ", "<(", "a=(", "if "])
def test_time_grows_with_length_only(unit: str) -> None:
    begin = time.process_time()
    shell.parse(unit * 20_000)
    assert time.process_time() - begin < 2
