"""Helm charts: templates are never read as YAML; they are rendered, or they are a gap."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Gap, Resource, Snapshot, Text
from bulkhead.formats.model import BOUNDS
from bulkhead.formats.recognise import of_text
from bulkhead.sources.files.model import LIMITS, Limits, Renderer, Walked


class Rendered(msgspec.Struct, frozen=True):
    """What rendering gave, and the plain files (or whole folders) that it speaks for."""

    snapshot: Snapshot
    covers: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()


def inside(path: str, rendered: Rendered) -> bool:
    """Whether a file belongs to a chart's own parts."""
    return any(path.startswith(folder) for folder in rendered.folders)


def read(root: Path, walked: Walked, limits: Limits, helm: Renderer) -> Rendered:
    """All charts of the tree that are not part of another."""
    tops = [chart for chart in walked.charts if not any(_below(chart, other) for other in walked.charts)]
    if not tops:
        return Rendered(Snapshot())
    # Running programs costs more to import than a small scan takes.
    from bulkhead.sources.files import render

    helm_program = render.program("helm") if helm is Renderer.AUTO else ""
    resources: list[Resource] = []
    gaps: list[Gap] = []
    notes: list[str] = []
    for chart in tops:
        where = chart or "."
        if not helm_program:
            gaps.append(
                Gap(
                    where=where,
                    code="helm-missing",
                    reason="the chart was not rendered",
                    hint="install helm, or scan the output of helm template",
                )
            )
            continue
        try:
            data = render.output([helm_program, "template", "release", "."], root / chart, limits)
        except SourceError as error:
            gaps.append(Gap(where=where, code=error.code, reason=error.message, hint="run helm template by hand"))
            continue
        if len(data) > BOUNDS.size:
            gaps.append(Gap(where=where, code="B210", reason=f"the chart renders to more than {BOUNDS.size} bytes"))
            continue
        text = Text(path=where, format="yaml", data=data, generated="helm")
        one = of_text(text, origin=f"helm:{where}")
        resources += one.resources
        gaps += one.gaps
        notes.append(f"{where}: chart rendered with its default values")
    folders = tuple(
        f"{chart}/{part}" if chart else part for chart in tops for part in ("templates/", "charts/", "files/")
    )
    files = frozenset(
        f"{chart}/{name}" if chart else name
        for chart in tops
        for name in ("Chart.yaml", "values.yaml", "values.schema.json", "Chart.lock")
    )
    return Rendered(Snapshot(tuple(resources), tuple(gaps), tuple(notes)), files, folders)


def _below(chart: str, other: str) -> bool:
    """A chart in another's ``charts`` folder is rendered with it."""
    return chart != other and chart.startswith(f"{other}/charts/" if other else "charts/")


def values(root: str, chart: str) -> tuple[str, bytes]:
    """The chart's values file relative to the root, and its bytes; empty when it has none (implements ``app.charts``)."""
    path = f"{chart}/values.yaml" if chart else "values.yaml"
    try:
        file = Path(root) / path
        return (path, file.read_bytes()) if file.is_file() and file.stat().st_size <= BOUNDS.size else ("", b"")
    except OSError as error:
        raise SourceError(str(error.strerror).lower(), where=path) from error


def render(root: str, chart: str, values: bytes) -> Snapshot:
    """What the chart makes of these values instead of its own (implements ``app.charts``).

    Raises:
        SourceError: helm is absent or refuses.
    """
    import tempfile

    from bulkhead.sources.files import render as programs

    helm = programs.program("helm")
    if not helm:
        raise SourceError("helm is not on the PATH", where=chart)
    with tempfile.NamedTemporaryFile(prefix="bulkhead-", suffix=".yaml") as file:
        file.write(values)
        file.flush()
        data = programs.output([helm, "template", "release", ".", "--values", file.name], Path(root) / chart, LIMITS)
    text = Text(path=chart or ".", format="yaml", data=data, generated="helm")
    return of_text(text, origin=f"helm:{chart or '.'}")
