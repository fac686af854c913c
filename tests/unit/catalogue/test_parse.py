"""A control file that is wrong is refused with its place."""

from __future__ import annotations

import pytest

from bulkhead.catalogue import index
from bulkhead.catalogue.index import Catalogue
from bulkhead.catalogue.parse import parse
from bulkhead.core.control import Control
from bulkhead.core.errors import CatalogueError, UsageError
from tests.catalogue_check import catalogue

GOOD = b"""
id: a.b
revision: 1
title: Everything is fine
severity: low
status: active
class: propose
applies_to: [Pod]
needs: {fields: [spec]}
check: {expression: "size(cluster.?Service.orValue([])) > 0", message: no}
rationale: because it matters
attack: somebody does something
fix: do the other thing
maps_to: {}
examples: {}
"""


def test_a_kind_that_is_looked_up_becomes_a_need() -> None:
    assert parse(GOOD, control_id="a.b").needs.kinds == ("Service",)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ((b"id: a.b", b"id: a.c"), "the path says"),
        ((b"severity: low", b"severity: harmless"), "harmless"),
        ((b"status: active", b"status: active\nstatus: draft"), "appears twice"),
        ((b"revision: 1", b"revision: 1\nsurprise: 2"), "surprise"),
        ((b"check: {expression", b"check: {shell: rm, expression"), "shell"),
        ((b"maps_to: {}", b"maps_to: [}"), "not YAML"),
        (
            (b'check: {expression: "size(cluster.?Service.orValue([])) > 0", message: no}', b""),
            "a check or instructions",
        ),
    ],
)
def test_what_is_wrong_is_said(change: tuple[bytes, bytes], complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        parse(GOOD.replace(*change), control_id="a.b")


def test_a_country_code_is_not_a_boolean() -> None:
    assert parse(GOOD.replace(b"maps_to: {}", b"maps_to: {country: [no]}"), control_id="a.b").maps_to == {
        "country": ("no",)
    }


def test_the_compiled_index_gives_back_what_went_in() -> None:
    kept = Catalogue(catalogue().controls[:20], catalogue().programs)
    again = index.decode(index.encode(kept))
    for before, after in zip(kept.controls, again.controls, strict=True):
        assert all(getattr(before, name) == getattr(after, name) for name in Control.__struct_fields__)
    assert again.programs == kept.programs


def test_examples_are_kept_beside_what_a_scan_needs() -> None:
    written = parse(GOOD.replace(b"examples: {}", b"examples: {fail: [{pod: {}}]}"), control_id="a.b")
    again = index.decode(index.encode(Catalogue([written])))
    assert again.examples == {"a.b": written.examples} == Catalogue([written]).examples
    assert type(again.controls[0]) is Control


def test_a_damaged_index_is_refused() -> None:
    with pytest.raises(CatalogueError, match="damaged"):
        index.decode(b"\x00garbage")


def test_a_name_that_nobody_has_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no control is called"):
        catalogue().named("CKV_NOTHING_1")
