"""GraphQL: documents and schemas as the trees that OPA shows, and whether one holds against the other.

``lexer`` and ``parser`` make trees of texts, ``schema`` looks at a schema and makes it ready, ``rules`` looks at a
document. Trees are plain objects with the field names of OPA's parser, so that those that policies make are taken too.
"""

from __future__ import annotations

from typing import Any

from bulkhead.engines.rego.builtins.graphql.parser import pruned, query_document, schema_document
from bulkhead.engines.rego.builtins.graphql.rules import validate
from bulkhead.engines.rego.builtins.graphql.schema import Schema, converted
from bulkhead.engines.rego.builtins.operands import text, wrong_type
from bulkhead.engines.rego.errors import BuiltinError
from bulkhead.engines.rego.wire import plain


def _query(a: Any) -> dict[str, Any]:
    if type(a) is str:
        return query_document(a)
    if isinstance(a, dict):
        return dict(plain(a))
    raise wrong_type(0, a, "string", "object")


def _schema(a: Any) -> dict[str, Any]:
    if type(a) is str:
        return schema_document(a)
    if isinstance(a, dict):
        return dict(plain(a))
    raise wrong_type(1, a, "string", "object")


def parse_query(a: Any) -> Any:
    return pruned(query_document(text(a, 1)))


def parse_schema(a: Any) -> Any:
    return pruned(schema_document(text(a, 1)))


def _both(query: Any, schema: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Document and schema, looked at.

    Raises:
        BuiltinError: one does not hold.
    """
    document, given = _query(query), _schema(schema)
    ready: Schema = converted(given)
    validate(ready, document)
    return document, given


def parse(query: Any, schema: Any) -> list[Any]:
    document, given = _both(query, schema)
    return [pruned(document), pruned(given)]


def parse_and_verify(query: Any, schema: Any) -> list[Any]:
    try:
        document, given = _both(query, schema)
    except BuiltinError:
        return [False, {}, {}]
    return [True, pruned(document), pruned(given)]


def is_valid(query: Any, schema: Any) -> bool:
    try:
        _both(query, schema)
    except BuiltinError:
        return False
    return True


def schema_is_valid(schema: Any) -> bool:
    try:
        converted(_schema(schema))
    except BuiltinError:
        return False
    return True
