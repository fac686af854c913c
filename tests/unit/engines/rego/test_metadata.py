"""What a rule learns of its annotations."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego import plans
from bulkhead.engines.rego.builtins import TABLE
from bulkhead.engines.rego.compile.planner import plan
from bulkhead.engines.rego.parser.modules import module, query
from bulkhead.engines.rego.program import compile_plan

ARITIES = {name: builtin.arity for name, builtin in TABLE.items()}


def told(*texts: str, asked: str = "data.a.b.p") -> Any:
    modules = [module(text, f"{number}.rego") for number, text in enumerate(texts)]
    text = f"x = {asked}"
    made = plan(modules, {"q": (query(text), text)}, ARITIES)
    [answer] = compile_plan(plans.read(made)).evaluate("q")
    return answer["x"]


def test_a_rule_has_its_own_annotation_in_the_shapes_of_opa() -> None:
    assert told("""# Not one.
package a.b

# METADATA
# title: A
# authors:
# - Ada Lovelace <ada@example.com>
# - Grace
# related_resources:
# - https://example.com/x
# schemas:
# - input: schema.input
# custom:
#   severity: high
p := rego.metadata.rule()
""") == {
        "scope": "rule", "title": "A", "authors": [{"name": "Ada Lovelace", "email": "ada@example.com"}, {"name": "Grace"}],
        "related_resources": [{"ref": "https://example.com/x"}], "schemas": [{"path": ["input"], "schema": ["schema", "input"]}],
        "custom": {"severity": "high"},
    }  # fmt: skip


def test_the_chain_goes_from_the_rule_out_to_the_packages_above() -> None:
    outer = "# METADATA\n# scope: subpackages\n# title: outer\npackage a\n"
    inner = """# METADATA
# title: inner
package a.b

# METADATA
# scope: document
# title: both

# METADATA
# title: second
p := x if { x := rego.metadata.chain() }
"""
    found = told(outer, inner)
    assert [item.get("annotations", {}).get("title") for item in found] == ["second", "both", "inner", "outer"]
    assert [item["path"] for item in found] == [["a", "b", "p"], ["a", "b", "p"], ["a", "b"], ["a"]]


def test_an_entry_point_is_about_the_whole_document() -> None:
    text = "package a.b\n# METADATA\n# entrypoint: true\np := count(rego.metadata.chain())"
    assert told(text) == 2


def test_without_an_annotation_there_is_an_empty_object_and_a_chain_of_one() -> None:
    assert told("package a.b\np := [rego.metadata.rule(), rego.metadata.chain()]") == [{}, [{"path": ["a", "b", "p"]}]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package a.b\n# METADATA\n# scope: world\np := 1", "invalid annotation scope 'world'"),
        ("package a.b\n# METADATA\n# scope: package\np := 1", "must be applied to package"),
        ("# METADATA\n# scope: rule\npackage a.b\np := 1", "must be applied to rule"),
        ("package a.b\n# METADATA\n# - 1\np := 1", "no mapping"),
        ("package a.b\n# METADATA\n# title: [\np := 1", "yaml"),
        ("package a.b\n# METADATA\n# authors: Ada\np := 1", "must be a list"),
    ],
)
def test_an_annotation_that_is_none_is_told(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        told(text)
