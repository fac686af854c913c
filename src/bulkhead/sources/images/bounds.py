"""What one image may cost us."""

from __future__ import annotations

import msgspec

MIB = 1024 * 1024


class Bounds(msgspec.Struct, frozen=True):
    """Sizes in bytes, the rest in entries.

    Attributes:
        outer_members: entries of the archive itself.
        members: entries of all layers of one image.
        expanded: uncompressed bytes of one layer.
        ratio: expanded to compressed, once ``ratio_floor`` bytes have come out.
        document: a manifest, index or configuration.
        header: an extended tar header (a long name, attributes).
        head: how much of a file's beginning is looked at for secrets.
        account_file: ``etc/passwd`` and ``etc/shadow``.
        listed: entries of any list in the result; how many there were is told beside it.
    """

    images: int = 200
    layers: int = 500
    outer_members: int = 50_000
    members: int = 400_000
    expanded: int = 32 * 1024 * MIB
    ratio: int = 200
    ratio_floor: int = 256 * MIB
    document: int = 8 * MIB
    header: int = MIB
    head: int = 16 * 1024
    account_file: int = MIB
    listed: int = 1000
