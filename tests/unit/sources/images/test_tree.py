"""Layers over each other, against the plainest model of what an extractor would leave."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.sources.images.tree import Entry, Tree, normal

PARTS = st.sampled_from("abc")
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
OPERATIONS = st.tuples(st.sampled_from(["file", "folder", "hide", "opaque"]), PATHS, st.integers(1, 9))
LAYERS = st.lists(st.lists(OPERATIONS, max_size=8), max_size=5)


def model(layers: list[list[tuple[str, str, int]]]) -> dict[str, tuple[int, int, str]]:
    """Whiteouts first, as they only concern lower layers; then each layer's own entries in order."""
    state: dict[str, tuple[int, int, str]] = {}
    for at, layer in enumerate(layers):
        for word, path, _ in layer:
            if word == "hide":
                state = {p: e for p, e in state.items() if p != path and not p.startswith(path + "/")}
            elif word == "opaque":
                state = {p: e for p, e in state.items() if not p.startswith(path + "/")}
        for word, path, size in layer:
            if word not in {"file", "folder"}:
                continue
            state = {p: e for p, e in state.items() if e[2] != "file" or not path.startswith(p + "/")}
            if word == "file" or state.get(path, (0, 0, ""))[2] == "file":
                state = {p: e for p, e in state.items() if p != path and not p.startswith(path + "/")}
            state[path] = (at, size if word == "file" else 0, word)
    return state


def is_plain(layers: list[list[tuple[str, str, int]]]) -> bool:
    """A file in the way of a path is what extractors disagree on; the model leaves it out."""
    for layer in layers:
        files = {path for word, path, _ in layer if word == "file"}
        if any(path.startswith(file + "/") for file in files for _, path, _ in layer):
            return False
    return True


@settings(max_examples=400, deadline=None)
@given(LAYERS.filter(is_plain))
def test_layers_leave_what_the_model_leaves(layers: list[list[tuple[str, str, int]]]) -> None:
    tree, total = Tree(), 0
    for at, layer in enumerate(layers):
        for word, path, size in layer:
            if word == "hide":
                tree.hide(path, at)
            elif word == "opaque":
                tree.hide_within(path, at)
            else:
                size = size if word == "file" else 0
                total += size
                tree.add(path, Entry(at, size, word, 0o644, 0))
    left = {path: (entry.layer, entry.size, entry.kind) for path, entry in tree.entries.items()}
    assert left == model(layers)
    # Every byte is either left or counted as wasted.
    assert total == sum(size for _, size, _ in left.values()) + sum(tree.wasted.values())


def test_names() -> None:
    assert [normal(name) for name in ("./", "/a//b/.", "a/../b", "..", "a\0", ".")] == ["", "a/b", None, None, None, ""]
