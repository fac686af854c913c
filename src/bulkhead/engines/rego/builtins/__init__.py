"""The built-ins of OPA 1.19 by name, each a function over values; a topic is imported when a policy first needs it.

What asks the world (the time, chance, a network, the runtime) is a port of ``Context``: without one the evaluation ends
with an error that says so. Nothing here reads a clock, a file or a socket.

The table gives, for a name and its number of arguments, ``module.function``, the kind of every result where there is
one, and marks: ``w`` takes the evaluation as its first argument, ``+`` may answer with more than it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import msgspec


class Context(msgspec.Struct, frozen=True):
    """What a policy may ask of the world; None for what it may not.

    Attributes:
        now: nanoseconds since 1970, the same for a whole evaluation.
        random: a number below the one given.
        http: the answer of a request, both as OPA's ``http.send`` has them.
        addresses: those of a name.
        runtime: what ``opa.runtime`` answers with.
        parse_module: the tree of a module, by its name and text, as OPA writes it.
        external: what a provider of external data answers for keys (Gatekeeper's ``external_data``).
        prints: whether ``print`` and ``trace`` leave notes.
    """

    now: int | None = None
    random: Callable[[int], int] | None = None
    http: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    addresses: Callable[[str], list[str]] | None = None
    runtime: dict[str, Any] | None = None
    parse_module: Callable[[str, str], Any] | None = None
    external: Callable[[str, list[Any]], Any] | None = None
    prints: bool = False


class Builtin(msgspec.Struct, frozen=True):
    """One built-in.

    Attributes:
        target: ``module.function`` below this package.
        world: its first argument is the evaluation.
        grows: its answer counts against the budget.
        kind: of every answer; empty where that differs.
        function: for one that is not ours; takes the target's place.
    """

    name: str
    arity: int
    target: str = ""
    world: bool = False
    grows: bool = False
    kind: str = ""
    function: Callable[..., Any] | None = None


_ROWS = """
count/1 collections.count int
sum/1 numbers.total
product/1 numbers.product
max/1 collections.largest
min/1 collections.smallest
sort/1 collections.in_order list +
all/1 collections.every bool
any/1 collections.some bool
internal.member_2/2 collections.member bool
internal.member_3/3 collections.member_with_key bool
assign/2 collections.no_answer
eq/2 collections.equal bool
equal/2 collections.equal bool
neq/2 collections.differs bool
lt/2 collections.less bool
lte/2 collections.less_or_equal bool
gt/2 collections.greater bool
gte/2 collections.greater_or_equal bool
plus/2 numbers.plus
minus/2 numbers.minus
mul/2 numbers.mul
div/2 numbers.div
rem/2 numbers.rem
abs/1 numbers.absolute
round/1 numbers.rounded
ceil/1 numbers.ceil
floor/1 numbers.floor
bits.and/2 numbers.bits_and
bits.or/2 numbers.bits_or
bits.xor/2 numbers.bits_xor
bits.negate/1 numbers.bits_negate
bits.lsh/2 numbers.shift_left
bits.rsh/2 numbers.shift_right
numbers.range/2 numbers.span list +
numbers.range_step/3 numbers.span_step list +
format_int/2 numbers.format_int str
array.concat/2 collections.concat list +
array.flatten/1 collections.flatten list +
array.slice/3 collections.part list +
array.reverse/1 collections.backwards list +
and/2 collections.intersect Set +
or/2 collections.unite Set +
set_diff/2 collections.subtract Set +
intersection/1 collections.intersection Set +
union/1 collections.union Set +
is_number/1 collections.is_number bool
is_string/1 collections.is_string bool
is_boolean/1 collections.is_boolean bool
is_array/1 collections.is_array bool
is_set/1 collections.is_set bool
is_object/1 collections.is_object bool
is_null/1 collections.is_null bool
cast_array/1 collections.cast_array list
cast_set/1 collections.cast_set Set
cast_string/1 collections.cast_string str
cast_boolean/1 collections.cast_boolean
cast_null/1 collections.cast_null
cast_object/1 collections.cast_object
type_name/1 conversions.type_name str
to_number/1 conversions.to_number
object.get/3 objects.at_path
object.keys/1 objects.keys Set +
object.union/2 objects.union dict +
object.union_n/1 objects.union_n dict +
object.remove/2 objects.remove dict +
object.filter/2 objects.choose dict +
object.subset/2 objects.subset bool
walk/1 objects.walk list w
json.remove/2 objects.json_remove +
json.filter/2 objects.json_filter +
json.patch/2 patching.patch +
concat/2 strings.concat str +
contains/2 strings.contains bool
startswith/2 strings.starts_with bool
endswith/2 strings.ends_with bool
strings.count/2 strings.occurrences int
indexof/2 strings.index_of int
indexof_n/2 strings.indexes_of list +
substring/3 strings.substring str
lower/1 strings.lower str +
upper/1 strings.upper str +
split/2 strings.split list +
strings.split_n/3 strings.split_n list +
replace/3 strings.replace str +
strings.replace_n/2 strings.replace_n str +
strings.reverse/1 strings.reverse str +
strings.any_prefix_match/2 strings.any_prefix bool
strings.any_suffix_match/2 strings.any_suffix bool
strings.render_template/2 templates.render str +
trim/2 strings.trim str
trim_left/2 strings.trim_left str
trim_right/2 strings.trim_right str
trim_prefix/2 strings.trim_prefix str
trim_suffix/2 strings.trim_suffix str
trim_space/1 strings.trim_space str
sprintf/2 strings.sprintf str +
internal.template_string/1 strings.template str +
json.marshal/1 texts.json_marshal str +
json.marshal_with_options/2 texts.json_marshal_with_options str +
json.unmarshal/1 texts.json_unmarshal +
json.is_valid/1 texts.json_is_valid bool
yaml.marshal/1 texts.yaml_marshal str +
yaml.unmarshal/1 texts.yaml_unmarshal +
yaml.is_valid/1 texts.yaml_is_valid bool
base64.encode/1 encodings.base64_encode str +
base64.decode/1 encodings.base64_decode str +
base64.is_valid/1 encodings.base64_is_valid bool
base64url.encode/1 encodings.base64url_encode str +
base64url.encode_no_pad/1 encodings.base64url_encode_no_pad str +
base64url.decode/1 encodings.base64url_decode str +
hex.encode/1 encodings.hex_encode str +
hex.decode/1 encodings.hex_decode str +
urlquery.encode/1 encodings.query_encode str +
urlquery.decode/1 encodings.query_decode str +
urlquery.encode_object/1 encodings.query_encode_object str +
urlquery.decode_object/1 encodings.query_decode_object dict +
uri.parse/1 encodings.uri_parse dict
uri.is_valid/1 encodings.uri_is_valid bool
regex.match/2 patterns.match bool
re_match/2 patterns.match bool
regex.is_valid/1 patterns.is_valid bool
regex.split/2 patterns.split list +
regex.find_n/3 patterns.find list +
regex.find_all_string_submatch_n/3 patterns.find_groups list +
regex.replace/3 patterns.replace str +
regex.template_match/4 patterns.template_match bool
regex.globs_match/2 globs.globs_match bool
glob.match/3 globs.match bool
glob.quote_meta/1 globs.quote_meta str
units.parse/1 units.parse
units.parse_bytes/1 units.parse_bytes
semver.compare/2 versions.compare_versions int
semver.is_valid/1 versions.is_valid bool
uuid.parse/1 versions.uuid_parse
uuid.rfc4122/1 world.uuid str w
graph.reachable/2 graphs.reachable Set +
graph.reachable_paths/2 graphs.paths Set +
net.cidr_contains/2 networks.contains bool
net.cidr_overlap/2 networks.contains bool
net.cidr_contains_matches/2 networks.contains_matches Set +
net.cidr_intersects/2 networks.intersects bool
net.cidr_expand/1 networks.expand Set +
net.cidr_merge/1 networks.merge Set
net.cidr_is_valid/1 networks.is_valid bool
net.lookup_ip_addr/1 world.addresses Set w
time.now_ns/0 world.now w
time.parse_ns/2 times.parse int
time.parse_rfc3339_ns/1 times.parse_rfc3339 int
time.parse_duration_ns/1 times.parse_duration int
time.format/1 times.format_time str
time.date/1 times.date list
time.clock/1 times.clock list
time.weekday/1 times.weekday str
time.add_date/4 times.add_date int
time.diff/2 times.difference list
crypto.md5/1 digests.md5 str
crypto.sha1/1 digests.sha1 str
crypto.sha256/1 digests.sha256 str
crypto.hmac.md5/2 digests.hmac_md5 str
crypto.hmac.sha1/2 digests.hmac_sha1 str
crypto.hmac.sha256/2 digests.hmac_sha256 str
crypto.hmac.sha512/2 digests.hmac_sha512 str
crypto.hmac.equal/2 digests.hmac_equal bool
crypto.parse_private_keys/1 keys.parse_private_keys list
crypto.x509.parse_certificates/1 certificates.parse_certificates list
crypto.x509.parse_and_verify_certificates/1 chains.parse_and_verify list w
crypto.x509.parse_and_verify_certificates_with_options/2 chains.parse_and_verify_with_options list w
crypto.x509.parse_certificate_request/1 certificates.parse_request dict
crypto.x509.parse_keypair/2 certificates.parse_keypair dict
crypto.x509.parse_rsa_private_key/1 keys.parse_rsa_private_key dict
io.jwt.decode/1 tokens.decode list
io.jwt.decode_verify/2 tokens.decode_verify list w
io.jwt.encode_sign/3 tokens.encode_sign str
io.jwt.encode_sign_raw/3 tokens.encode_sign_raw str
io.jwt.verify_rs256/2 tokens.verify_rs256 bool
io.jwt.verify_rs384/2 tokens.verify_rs384 bool
io.jwt.verify_rs512/2 tokens.verify_rs512 bool
io.jwt.verify_ps256/2 tokens.verify_ps256 bool
io.jwt.verify_ps384/2 tokens.verify_ps384 bool
io.jwt.verify_ps512/2 tokens.verify_ps512 bool
io.jwt.verify_es256/2 tokens.verify_es256 bool
io.jwt.verify_es384/2 tokens.verify_es384 bool
io.jwt.verify_es512/2 tokens.verify_es512 bool
io.jwt.verify_eddsa/2 tokens.verify_eddsa bool
io.jwt.verify_hs256/2 tokens.verify_hs256 bool
io.jwt.verify_hs384/2 tokens.verify_hs384 bool
io.jwt.verify_hs512/2 tokens.verify_hs512 bool
json.verify_schema/1 schemas.verify list
json.match_schema/2 schemas.match list
graphql.is_valid/2 graphql.is_valid bool
graphql.parse/2 graphql.parse list
graphql.parse_and_verify/2 graphql.parse_and_verify list
graphql.parse_query/1 graphql.parse_query dict
graphql.parse_schema/1 graphql.parse_schema dict
graphql.schema_is_valid/1 graphql.schema_is_valid bool
providers.aws.sign_req/3 signing.sign_request dict
http.send/1 world.http dict w
opa.runtime/0 world.runtime dict w
rand.intn/2 world.random int w
rego.parse_module/2 world.parse_module dict w
rego.metadata.chain/0 collections.no_answer
rego.metadata.rule/0 collections.no_answer
trace/1 world.trace bool w
print/0 collections.no_answer
internal.print/1 world.print_ w
internal.test_case/1 world.named_case bool w
"""


def _table() -> dict[str, Builtin]:
    found = {}
    for row in _ROWS.split("\n"):
        if row:
            head, target, *marks = row.split(" ")
            name, _, count = head.rpartition("/")
            kinds = [mark for mark in marks if mark not in {"w", "+"}]
            found[name] = Builtin(
                name, int(count), target, world="w" in marks, grows="+" in marks, kind=kinds[0] if kinds else ""
            )
    return found


TABLE: Mapping[str, Builtin] = _table()


def resolve(builtin: Builtin) -> Callable[..., Any]:
    """The function behind an entry of the table."""
    if builtin.function is not None:
        return builtin.function
    module, _, name = builtin.target.partition(".")
    found: Callable[..., Any] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
