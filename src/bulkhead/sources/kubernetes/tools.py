"""The kubectl that the user has beside the kubeconfig: an old one has holes of its own."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Gap, Ref, Resource
from bulkhead.sources.files.model import Limits
from bulkhead.sources.files.render import output, program

_LIMITS = Limits(render_seconds=10.0, render_size=1024 * 1024)


class _Client(msgspec.Struct):
    gitVersion: str  # noqa: N815 (the tool's own word)


class _Told(msgspec.Struct):
    clientVersion: _Client  # noqa: N815 (the tool's own word)


def kubectl(origin: str) -> Resource | Gap | None:
    """Which version it is, by its own word; None where there is none on the PATH. It is asked for nothing else, and never for
    the cluster.
    """
    found = program("kubectl")
    if not found:
        return None
    try:
        said = output([found, "version", "--client", "-o", "json"], Path("/"), _LIMITS)
        version = msgspec.json.decode(said, type=_Told).clientVersion.gitVersion
    except SourceError as error:
        return Gap(where=found, code=error.code, reason=error.message, hides=("ClientTools",))
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Gap(where=found, code="B220", reason="kubectl does not say its version", hides=("ClientTools",))
    return Resource(Ref(source="kubernetes", kind="ClientTools", name="kubectl", origin=origin), {"kubectl": version})
