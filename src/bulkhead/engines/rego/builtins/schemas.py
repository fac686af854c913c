"""JSON Schema, drafts 4, 6 and 7, with the words of the validator that OPA uses. Schemas are never fetched."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from bulkhead.engines.rego.builtins.formats import FORMATS
from bulkhead.engines.rego.builtins.patterns import compile_pattern
from bulkhead.engines.rego.builtins.shown import number_text
from bulkhead.engines.rego.builtins.texts import from_json, to_json
from bulkhead.engines.rego.errors import BudgetError, BuiltinError, PortError
from bulkhead.engines.rego.values import exact, form, integer, same
from bulkhead.engines.rego.wire import plain

MAX_STEPS = 200_000
MAX_DEPTH = 150
_TYPES = ("array", "boolean", "integer", "number", "null", "object", "string")
_SCHEMAS = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
)
_MAPS = ("definitions", "patternProperties", "properties")
_LISTS = ("allOf", "anyOf", "oneOf")
_COUNTS = ("maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties")


# The schema itself


def _load(value: Any) -> Any:
    if type(value) is str:
        try:
            return from_json(value)
        except BuiltinError:
            raise BuiltinError("invalid JSON string") from None
    if isinstance(value, (dict, list)):
        return plain(value)
    raise BuiltinError("wrong type, expected string or object")


def verify(a: Any) -> list[Any]:
    try:
        _check(_load(a), 0, [MAX_STEPS])
    except BuiltinError as error:
        return [False, f"jsonschema: {error.message}"]
    return [True, None]


def _check(schema: Any, depth: int, left: list[int]) -> None:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        raise BudgetError("a schema is too large")
    if type(schema) is bool:
        return
    if not isinstance(schema, dict):
        raise BuiltinError("Invalid type. Expected: object/boolean, given: schema")
    reference = schema.get("$ref")
    if reference is not None and type(reference) is not str:
        raise BuiltinError("$ref must be of type string")
    _check_words(schema)
    for name in _SCHEMAS:
        for inner in _inner(schema, name):
            _check(inner, depth + 1, left)
    for name in _MAPS:
        found = schema.get(name, {})
        if not isinstance(found, dict):
            raise BuiltinError(f"{name} must be of type object")
        for key, inner in found.items():
            if name == "patternProperties":
                _pattern(key)
            _check(inner, depth + 1, left)
    for name in _LISTS:
        found = schema.get(name, [])
        if not isinstance(found, list) or (name in schema and not found):
            raise BuiltinError(f"{name} must be of an array")
        for inner in found:
            _check(inner, depth + 1, left)
    for inner in _dependencies(schema).values():
        if not isinstance(inner, list):
            _check(inner, depth + 1, left)


def _inner(schema: dict[str, Any], name: str) -> list[Any]:
    if name not in schema:
        return []
    found = schema[name]
    return found if name == "items" and isinstance(found, list) else [found]


def _dependencies(schema: dict[str, Any]) -> dict[str, Any]:
    found = schema.get("dependencies", {})
    if not isinstance(found, dict):
        raise BuiltinError("dependencies must be of type object")
    return found


def _check_words(schema: dict[str, Any]) -> None:
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if type(kind) is not str:
            raise BuiltinError("type must be of type string/array of strings")
        if kind not in _TYPES:
            raise BuiltinError(
                f"has a primitive type that is NOT VALID -- given: /{kind}/ Expected valid values are:[{' '.join(_TYPES)}]"
            )
    for name in _COUNTS:
        found = integer(schema.get(name, 0))
        if found is None:
            raise BuiltinError(f"{name} must be of an integer")
        if found < 0:
            raise BuiltinError(f"{name} must be greater than or equal to 0")
    multiple = schema.get("multipleOf")
    if multiple is not None and (not _is_number(multiple) or multiple <= 0):
        raise BuiltinError("multipleOf must be strictly greater than 0")
    for name in ("minimum", "maximum"):
        if name in schema and not _is_number(schema[name]):
            raise BuiltinError(f"{name} must be of a number")
    if "pattern" in schema:
        _pattern(schema["pattern"])
    required = schema.get("required", [])
    if not isinstance(required, list) or any(type(item) is not str for item in required):
        raise BuiltinError("required must be of an array")
    if not isinstance(schema.get("enum", []), list):
        raise BuiltinError("enum must be of an array")


def _pattern(value: Any) -> Any:
    if type(value) is not str:
        raise BuiltinError("pattern must be of a string")
    try:
        return compile_pattern(value)
    except BuiltinError:
        raise BuiltinError("pattern must be a valid regex") from None


def _is_number(value: Any) -> bool:
    return type(value) in {int, float, Decimal}


# Documents


def match(a: Any, b: Any) -> list[Any]:
    document, schema = _load(a), _load(b)
    _check(schema, 0, [MAX_STEPS])
    run = _Run(schema)
    run.value(schema, document, (), 0)
    return [not run.errors, run.errors]


class _Run:
    """One document against one schema."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.errors: list[dict[str, Any]] = []
        self._left = MAX_STEPS

    def wrong(self, at: tuple[str, ...], kind: str, text: str) -> None:
        field = ".".join(at) or "(root)"
        self.errors.append({"error": f"{field}: {text}", "type": kind, "field": field, "desc": text})

    def tried(self, schema: Any, value: Any, at: tuple[str, ...], depth: int) -> list[dict[str, Any]]:
        """The errors of a part, not counted yet."""
        outer, self.errors = self.errors, []
        self.value(schema, value, at, depth)
        found, self.errors = self.errors, outer
        return found

    def value(self, schema: Any, value: Any, at: tuple[str, ...], depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise BudgetError("a document is too large for its schema")
        if type(schema) is bool:
            if not schema:
                self.wrong(at, "false", "False always fails validation")
            return
        if "$ref" in schema:
            self.value(self._referred(schema["$ref"]), value, at, depth + 1)
            return
        if not self._typed(schema, value, at):
            return
        self._combined(schema, value, at, depth)
        if isinstance(value, list):
            self._array(schema, value, at, depth)
        elif isinstance(value, dict):
            self._object(schema, value, at, depth)
        elif type(value) is str:
            self._string(schema, value, at)
        elif _is_number(value):
            self._number(schema, value, at)
        if "const" in schema and not same(plain(schema["const"]), value):
            self.wrong(at, "const", f"{'.'.join(at) or '(root)'} does not match: {to_json(schema['const'])}")
        if "enum" in schema and not any(same(item, value) for item in schema["enum"]):
            allowed = ", ".join(to_json(item) for item in schema["enum"])
            self.wrong(at, "enum", f"{'.'.join(at) or '(root)'} must be one of the following: {allowed}")

    def _referred(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise PortError(f"json.match_schema: schemas are not fetched: {reference[:200]}")
        found = self.root
        for part in reference[1:].lstrip("/").split("/") if reference not in {"#", "#/"} else ():
            key = part.replace("~1", "/").replace("~0", "~").replace("%25", "%")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                raise BuiltinError(f"Object has no key '{key[:100]}'")
        if not isinstance(found, (dict, bool)):
            raise BuiltinError(f"reference {reference[:100]} is no schema")
        return found

    def _typed(self, schema: dict[str, Any], value: Any, at: tuple[str, ...]) -> bool:
        kinds = schema.get("type", [])
        wanted = kinds if isinstance(kinds, list) else [kinds]
        given = _kind(value)
        if not wanted or given in wanted or (given == "integer" and "number" in wanted):
            return True
        expected = wanted[0] if len(wanted) == 1 else f"[{','.join(wanted)}]"
        self.wrong(at, "invalid_type", f"Invalid type. Expected: {expected}, given: {given}")
        return False

    def _combined(self, schema: dict[str, Any], value: Any, at: tuple[str, ...], depth: int) -> None:
        if "anyOf" in schema:
            self._any(schema["anyOf"], value, at, depth)
        if "oneOf" in schema:
            tries = [self.tried(inner, value, at, depth + 1) for inner in schema["oneOf"]]
            if sum(not errors for errors in tries) != 1:
                self.wrong(at, "number_one_of", "Must validate one and only one schema (oneOf)")
                if all(tries):
                    self.errors += _nearest(tries)
        if "allOf" in schema:
            tries = [self.tried(inner, value, at, depth + 1) for inner in schema["allOf"]]
            for errors in tries:
                self.errors += errors
            if any(tries):
                self.wrong(at, "number_all_of", "Must validate all the schemas (allOf)")
        if "not" in schema and not self.tried(schema["not"], value, at, depth + 1):
            self.wrong(at, "number_not", "Must not validate the schema (not)")
        if isinstance(value, dict):
            self._depending(schema, value, at, depth)
        if "if" in schema:
            holds = not self.tried(schema["if"], value, at, depth + 1)
            name = "then" if holds else "else"
            errors = self.tried(schema[name], value, at, depth + 1) if name in schema else []
            if errors:
                was = "valid" if holds else "not valid"
                self.wrong(at, f"condition_{name}", f'Must validate "{name}" as "if" was {was}')
                self.errors += errors

    def _any(self, schemas: list[Any], value: Any, at: tuple[str, ...], depth: int) -> None:
        tries = []
        for inner in schemas:
            tries.append(self.tried(inner, value, at, depth + 1))
            if not tries[-1]:
                return
        self.wrong(at, "number_any_of", "Must validate at least one schema (anyOf)")
        self.errors += _nearest(tries)

    def _depending(self, schema: dict[str, Any], value: dict[str, Any], at: tuple[str, ...], depth: int) -> None:
        for name, inner in _dependencies(schema).items():
            if name not in value:
                continue
            if isinstance(inner, list):
                for other in inner:
                    if other not in value:
                        self.wrong(at, "missing_dependency", f"Has a dependency on {other}")
            else:
                self.value(inner, value, at, depth + 1)

    def _array(self, schema: dict[str, Any], value: list[Any], at: tuple[str, ...], depth: int) -> None:
        given = schema.get("items")
        if isinstance(given, list):
            for number, (inner, item) in enumerate(zip(given, value, strict=False)):
                self.value(inner, item, (*at, str(number)), depth + 1)
            more = schema.get("additionalItems", True)
            if more is False and len(value) > len(given):
                self.wrong(at, "array_no_additional_items", "No additional items allowed on array")
            elif isinstance(more, dict):
                for number in range(len(given), len(value)):
                    self.value(more, value[number], (*at, str(number)), depth + 1)
        elif given is not None:
            for number, item in enumerate(value):
                self.value(given, item, (*at, str(number)), depth + 1)
        self._sized(schema, len(value), at, "Items", "items")
        if schema.get("uniqueItems") is True:
            self._unique(value, at)
        if "contains" in schema and all(self.tried(schema["contains"], item, at, depth + 1) for item in value):
            self.wrong(at, "contains", "At least one of the items must match")

    def _unique(self, value: list[Any], at: tuple[str, ...]) -> None:
        seen: dict[Any, int] = {}
        for number, item in enumerate(value):
            before = seen.setdefault(form(item), number)
            if before != number:
                self.wrong(at, "unique", f"array items[{before},{number}] must be unique")

    def _sized(self, schema: dict[str, Any], size: int, at: tuple[str, ...], name: str, word: str) -> None:
        if size < schema.get(f"min{name}", 0):
            limit = number_text(schema[f"min{name}"])
            self.wrong(at, f"array_min_{word}", f"{_HAVE[word]} have at least {limit} {word}")
        if f"max{name}" in schema and size > schema[f"max{name}"]:
            limit = number_text(schema[f"max{name}"])
            self.wrong(at, f"array_max_{word}", f"{_HAVE[word]} have at most {limit} {word}")

    def _object(self, schema: dict[str, Any], value: dict[str, Any], at: tuple[str, ...], depth: int) -> None:
        self._sized(schema, len(value), at, "Properties", "properties")
        for name in schema.get("required", ()):
            if name not in value:
                self.wrong(at, "required", f"{name} is required")
        known = schema.get("properties", {})
        patterns = {key: (_pattern(key), inner) for key, inner in schema.get("patternProperties", {}).items()}
        more = schema.get("additionalProperties", True)
        for name, item in sorted(value.items()):
            fits = [inner for pattern, inner in patterns.values() if pattern.search(name)]
            for inner in fits:
                self.value(inner, item, (*at, name), depth + 1)
            if name not in known and not fits:
                if more is False:
                    text = f"Additional property {name} is not allowed"
                    self.wrong(at, "additional_property_not_allowed", text)
                elif isinstance(more, dict):
                    self.value(more, item, (*at, name), depth + 1)
            if "propertyNames" in schema and self.tried(schema["propertyNames"], name, at, depth + 1):
                self.wrong(at, "invalid_property_name", f'Property name of "{name}" does not match')
        for name, inner in known.items():
            if name in value:
                self.value(inner, value[name], (*at, name), depth + 1)

    def _string(self, schema: dict[str, Any], value: str, at: tuple[str, ...]) -> None:
        if len(value) < schema.get("minLength", 0):
            limit = number_text(schema["minLength"])
            self.wrong(at, "string_gte", f"String length must be greater than or equal to {limit}")
        if "maxLength" in schema and len(value) > schema["maxLength"]:
            limit = number_text(schema["maxLength"])
            self.wrong(at, "string_lte", f"String length must be less than or equal to {limit}")
        if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
            self.wrong(at, "pattern", f"Does not match pattern '{schema['pattern']}'")
        check = FORMATS.get(schema.get("format", ""))
        if check is not None and not check(value):
            self.wrong(at, "format", f"Does not match format '{schema['format']}'")

    def _number(self, schema: dict[str, Any], value: Any, at: tuple[str, ...]) -> None:
        found = Fraction(exact(value))
        multiple = schema.get("multipleOf")
        if multiple is not None and found % Fraction(exact(multiple)):
            self.wrong(at, "multiple_of", f"Must be a multiple of {number_text(multiple)}")
        for side, below in (("minimum", True), ("maximum", False)):
            for limit, strict in _limits(schema, side):
                bound = Fraction(exact(limit))
                outside = found < bound if below else found > bound
                if outside or (strict and found == bound):
                    kind = f"number_{'g' if below else 'l'}t{'' if strict else 'e'}"
                    word = "greater" if below else "less"
                    more = "" if strict else " or equal to"
                    self.wrong(at, kind, f"Must be {word} than{more} {number_text(limit)}")


def _nearest(tries: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The errors of the schema that is missed by the least: the one that was meant."""
    return min(tries, key=lambda errors: (len(errors), str(errors)))


_HAVE = {"items": "Array must", "properties": "Must"}


def _limits(schema: dict[str, Any], side: str) -> list[tuple[Any, bool]]:
    """Draft 4 says with a boolean that a limit is exclusive, later drafts give another limit."""
    found: list[tuple[Any, bool]] = []
    exclusive = schema.get(f"exclusive{side.capitalize()}")
    if side in schema:
        found.append((schema[side], exclusive is True))
    if _is_number(exclusive):
        found.append((exclusive, True))
    return found


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if type(value) is bool:
        return "boolean"
    if type(value) is str:
        return "string"
    if isinstance(value, list):
        return "array"
    if isinstance(value, dict):
        return "object"
    return "integer" if integer(value) is not None else "number"
