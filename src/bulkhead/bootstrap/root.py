"""The composition root: which adapter stands behind which port."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bulkhead.app.ports import FindingStore, Journal
from bulkhead.app.scan import Context, Selection
from bulkhead.app.worlds import FileHands, FileWorld
from bulkhead.bootstrap import catalogue, places, profiles, settingfiles, settings
from bulkhead.bootstrap.model import Settings
from bulkhead.catalogue.index import Catalogue
from bulkhead.core.errors import SettingsError
from bulkhead.core.plan import Rollout

if TYPE_CHECKING:
    from bulkhead.app.charts import Charts
    from bulkhead.store.postgres.state import State as Shared
    from bulkhead.store.sqlite.state import State


_LIMIT = 16 * 1024 * 1024
"""Bytes of an exceptions file."""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Root:
    """Everything a command needs, made when first asked for; as a context it closes at its end what it opened.

    ``remember`` is False for a run that keeps nothing behind.
    """

    def __init__(
        self, folder: Path, settings: Settings, *, remember: bool = True, lender: Root | None = None
    ) -> None:  # fmt: skip
        self.folder = folder
        self.settings = settings
        self.remember = remember
        self._lender = lender

    def __enter__(self) -> Root:
        return self

    def __exit__(self, *_: object) -> None:
        if "_state" in self.__dict__ and self._lender is None:
            self._state.close()

    def beside(self, folder: Path) -> Root:
        """The root for work on another folder: with that folder's settings, and our store, tenant and rollout.

        Raises:
            SettingsError: the folder's settings are wrong.
        """
        loaded = settings.load(folder if folder.is_dir() else folder.parent)
        mine = self.settings
        given = msgspec.structs.replace(loaded, tenant=mine.tenant, store=mine.store, rollout=mine.rollout)
        return Root(folder, given, remember=self.remember, lender=self)

    @cached_property
    def catalogue(self) -> Catalogue:
        if self._lender is not None and self._lender.settings.controls == self.settings.controls:
            return self._lender.catalogue
        return catalogue.load(Path(item) for item in self.settings.controls)

    @cached_property
    def files(self) -> FileWorld:
        from bulkhead.sources import files

        return files

    @cached_property
    def charts(self) -> Charts:
        from bulkhead.sources.files import charts

        return charts

    @cached_property
    def hands(self) -> FileHands:
        from bulkhead.actuators.files.hands import Hands

        return Hands()

    @cached_property
    def _state(self) -> State | Shared:
        if self._lender is not None:
            return self._lender._state  # noqa: SLF001 (of our own kind)
        store = self.settings.store
        url = settingfiles.secret_address(Path(store.url_file)) if store.url_file else store.url
        if url:
            from bulkhead.store.postgres import open_state as open_shared

            return open_shared(url, places.own(places.state()))
        from bulkhead.store.sqlite.state import open_state

        return open_state(places.own(places.state()))

    @property
    def store(self) -> FindingStore | None:
        return self._state.findings if self.remember else None

    @property
    def journal(self) -> Journal:
        return self._state.journal

    @cached_property
    def context(self) -> Context:
        return Context(self.catalogue, now, self.settings.tenant, self._exceptions())

    def _exceptions(self) -> dict[str, bytes]:
        if not self.settings.exceptions:
            return {}
        path = Path(self.settings.exceptions)
        try:
            # A device or a pipe would be read for ever.
            if not path.is_file() and path.exists():
                raise SettingsError("not a plain file", where=str(path))
            if path.stat().st_size > _LIMIT:
                raise SettingsError(f"larger than {_LIMIT} bytes", where=str(path))
            return {str(path): path.read_bytes()}
        except OSError as exc:
            raise SettingsError(str(exc.strerror).lower(), where=str(path)) from exc

    @property
    def rollout(self) -> Rollout:
        """How far and how fast plans for live worlds may go."""
        return self.settings.rollout

    def selection(self, names: tuple[str, ...] = (), profile: str = "") -> Selection:
        """The controls to run: those named, else those of the profile; never those that are skipped."""
        skipped = {control.id for name in self.settings.skip for control in self.catalogue.named(name)}
        chosen = profiles.select(self.catalogue, names, profile or self.settings.profile)
        label = ",".join(names) if names else (profile or self.settings.profile)
        return Selection([item for item in chosen if item.id not in skipped], label, self.settings.parameters)


def actor() -> str:
    """The user of this process, and who became it."""
    import pwd

    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    before = os.environ.get("SUDO_USER")
    return f"{name} (sudo by {before})" if before and before != name else name


def open_root(folder: Path, *, remember: bool = True, given: Mapping[str, Any] | None = None) -> Root:
    """The root for work on a folder; ``given`` are settings that flags name, and goes over all others."""
    loaded = settings.load(folder if folder.is_dir() else folder.parent)
    return Root(folder, msgspec.structs.replace(loaded, **(given or {})), remember=remember)
