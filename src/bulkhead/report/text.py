"""Text that may hold anything, made safe to place in a document. Escaping for one format is that format's business."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from bulkhead.core.finding import Finding
from bulkhead.core.patterns import later
from bulkhead.core.resource import Ref
from bulkhead.report.mask import harmless, mask

# XML 1.0 section 2.2 Char, less DEL and the C1 controls, which terminals obey, and less the marks that turn the
# direction of a text (U+202A to U+202E, U+2066 to U+2069), which make a reader see another order than the bytes have.
_UNSAFE = later("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069\ufeff]")
_BREAKS = later(r"[\t\r\n\u2028\u2029]+ *")


def is_clean(text: str) -> bool:
    """Whether ``clean`` surely leaves the text as it is."""
    return text.isascii() and text.isprintable()


def clean(text: str) -> str:
    """Control characters, lone surrogates and direction marks become U+FFFD; line ends and tabs stay."""
    return text if is_clean(text) else _UNSAFE.sub("\ufffd", text)


# Titles and messages repeat: a run of thirty thousand findings has a few hundred different ones.
@lru_cache(maxsize=4096)
def said(text: str) -> str:
    """Prose from a finding or a gap: clean, and without any credential that slipped in."""
    return mask(clean(text))


def is_said(texts: Iterable[str]) -> bool:
    """Whether ``said`` surely leaves all of them as they are. They are looked at together, which is far quicker."""
    joined = " ".join(texts)
    return is_clean(joined) and harmless(joined)


def one_line(text: str) -> str:
    """``said`` with line ends and tabs as single spaces."""
    text = said(text)
    return text if text.isprintable() else _BREAKS.sub(" ", text).strip()


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, the last an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def resource_name(ref: Ref) -> str:
    """``Deployment shop/web``; the origin where a resource has no name."""
    name = ref.name or ref.origin or ref.uid or "-"
    scoped = f"{ref.namespace}/{name}" if ref.namespace else name
    return one_line(f"{ref.kind} {scoped}")


def place(finding: Finding) -> str:
    """``deploy/web.yaml:12:5``, or the resource's origin where no file is known."""
    where = finding.where
    if not where.file:
        return one_line(finding.resource.origin)
    line = f":{where.line}" if where.line else ""
    column = f":{where.column}" if where.line and where.column else ""
    return one_line(where.file) + line + column
