"""Every key of a random TOML text is found where it was written."""

from __future__ import annotations

import tomllib
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from bulkhead.bootstrap import positions

BARE = st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True)
NAMES = st.one_of(BARE, BARE, st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=5))
SCALARS = st.one_of(
    st.integers(-1000, 1000),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12),
    st.sampled_from(['"""', "'''", "#", "[x]", "a = 1\n[b]\n", "\\", '\\"', "]}", "''", '""']),
)
INLINE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


class Writer:
    """Writes a document in one of the many ways there are, and notes where each key came to stand."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.text = ""
        self.keys: dict[positions.Path, tuple[int, int]] = {}

    def choose(self, *options: str) -> str:
        return str(self.draw(st.sampled_from(options)))

    def blank(self) -> str:
        return self.choose("", "", " ", "\t")

    def name(self, name: str) -> str:
        plain = name.isascii() and name.replace("-", "a").replace("_", "a").isalnum()
        literal = name.isprintable() and "'" not in name
        kinds = (["bare"] if plain else []) + (["literal"] if literal else []) + ["basic"]
        kind = self.choose(*kinds)
        return name if kind == "bare" else f"'{name}'" if kind == "literal" else basic(name)

    def value(self, value: Any, path: positions.Path) -> None:
        if isinstance(value, bool):
            self.text += str(value).lower()
        elif isinstance(value, int):
            self.text += str(value)
        elif isinstance(value, str):
            self.text += self.string(value)
        elif isinstance(value, list):
            self.text += "["
            for index, item in enumerate(value):
                self.text += self.choose("", " ", "\n  ", " # ], }\n")
                self.keys[*path, index] = (len(self.text), len(self.text))
                self.value(item, (*path, index))
                self.text += self.blank() + ","
            self.text += self.choose("", "\n") + "]"
        else:
            self.text += "{"
            for index, (key, item) in enumerate(value.items()):
                self.text += ("," if index else "") + self.blank()
                self.pair(key, item, path)
                self.text += self.blank()
            self.text += "}"

    def string(self, value: str) -> str:
        kinds = ["basic", "long"]
        if value.isprintable() and "'" not in value:
            kinds.append("literal")
        if all(char.isprintable() or char == "\n" for char in value) and "'''" not in value and not value.endswith("'"):
            kinds.append("long literal")
        kind = self.choose(*kinds)
        if kind == "literal":
            return f"'{value}'"
        if kind == "long literal":
            return f"'''\n{value}'''"
        if kind == "long":
            return '""' + basic(value) + '""'
        return basic(value)

    def pair(self, key: str, value: Any, path: positions.Path) -> None:
        start = len(self.text)
        self.text += self.name(key) + self.blank() + "=" + self.blank()
        self.keys[*path, key] = (start, len(self.text))
        self.value(value, (*path, key))

    def table(self, values: dict[str, Any], path: positions.Path, header: str) -> None:
        """Plain values first, then the tables of this one, each in a form of its own."""
        later: list[tuple[str, Any]] = []
        for key, value in values.items():
            tables = isinstance(value, dict) or (
                isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
            )
            if tables and self.draw(st.booleans()):
                later.append((key, value))
                continue
            self.text += self.choose("", "\n", "# [x]\n", "   ")
            self.pair(key, value, path)
            self.text += self.choose("\n", " # a comment = 1\n", "\r\n")
        for key, value in later:
            name = f"{header}.{self.name(key)}" if header else self.name(key)
            for index, item in enumerate(value if isinstance(value, list) else [value]):
                start = len(self.text)
                self.text += f"[[ {name} ]]\n" if isinstance(value, list) else f"[{name}] # y\n"
                where: positions.Path = (*path, key, index) if isinstance(value, list) else (*path, key)
                self.keys[where] = (start, start)
                self.table(item, where, name)


def basic(text: str) -> str:
    out = ""
    for char in text:
        code = ord(char)
        out += "\\" + char if char in '"\\' else f"\\U{code:08x}" if code < 32 or code == 127 else char
    return f'"{out}"'


@settings(max_examples=300, deadline=None)
@given(st.data(), st.dictionaries(NAMES, INLINE, max_size=5))
def test_every_key_is_found(data: st.DataObject, values: dict[str, Any]) -> None:
    writer = Writer(data.draw)
    writer.table(values, (), "")
    assert tomllib.loads(writer.text) == values
    found = {place.path: (place.key, place.value) for place in positions.places(writer.text)}
    assert found == writer.keys
    for path, (key, value) in writer.keys.items():
        assert positions.find(writer.text, path) == positions.position(writer.text, key)
        assert positions.find(writer.text, path, value=True) == positions.position(writer.text, value)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab.=[]{}\"'#,\n \\", max_size=40))
def test_any_text_ends(text: str) -> None:
    assert len(list(positions.places(text))) <= len(text)
