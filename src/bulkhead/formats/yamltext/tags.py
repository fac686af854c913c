"""Tags beyond YAML's own: CloudFormation's short forms where the text is a template, Compose's merge marks anywhere."""

from __future__ import annotations

from typing import Any, Final

RESET: Final = "!reset"
OVERRIDE: Final = "!override"

_FUNCTIONS = [
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "ForEach",
    "GetAZs",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Rain",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
]
CLOUDFORMATION: Final[dict[str, str]] = {
    "!Ref": "Ref",
    "!Condition": "Condition",
    "!GetAtt": "Fn::GetAtt",
    **{f"!{name}": f"Fn::{name}" for name in _FUNCTIONS},
}
COMPOSE: Final[dict[str, str]] = {RESET: "", OVERRIDE: ""}


def table_for(text: str) -> dict[str, str]:
    """The tags that this text may use."""
    if "AWS::" in text or "AWSTemplateFormatVersion" in text:
        return COMPOSE | CLOUDFORMATION
    return COMPOSE


def expanded(tag: str, function: str, value: Any) -> Any:
    """The long form of a tagged value."""
    if tag == RESET:
        return None
    if tag == OVERRIDE:
        return value
    if function == "Fn::GetAtt" and isinstance(value, str):
        # "!GetAtt A.B.C" names attribute B.C of A (CloudFormation user guide, Fn::GetAtt).
        value = value.split(".", 1)
    return {function: value}
