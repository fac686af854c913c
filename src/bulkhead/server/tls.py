"""Server TLS: 1.2 at least, suites with forward secrecy and AEAD only (RFC 9325), certificates renewed while connections live."""

from __future__ import annotations

import asyncio
import ssl
import stat
from pathlib import Path
from typing import Final

from bulkhead.core.errors import SettingsError
from bulkhead.server.logs import Log

LOOK_SECONDS: Final = 10.0
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


class Certificate:
    """A certificate with its key, and the context that presents it to connections to come."""

    def __init__(self, files: tuple[str, str]) -> None:
        """Raises SettingsError where the files hold no certificate with its key, or the key is open to all."""
        self._files = files
        self._seen = self._stamps()
        self.context = self._made()

    def _made(self) -> ssl.SSLContext:
        certificate, key = self._files
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
        made.set_ciphers(_CIPHERS)
        made.set_alpn_protocols(["http/1.1"])
        where = certificate
        try:
            with Path(certificate).open("rb"):
                where = key
            if stat.S_IMODE(Path(key).stat().st_mode) & stat.S_IROTH:
                raise SettingsError("the key of the certificate is open to everybody", where=key, hint="chmod 600 it")
            # A key with a passphrase would be asked for on the terminal.
            made.load_cert_chain(certificate, key, password=lambda: "")
        except ssl.SSLError as error:
            reason = (error.reason or "it is not PEM").lower().replace("_", " ")
            raise SettingsError(f"no certificate with its key: {reason}", where=f"{certificate}, {key}") from error
        except OSError as error:
            raise SettingsError(f"the certificate cannot be read: {error.strerror or error}", where=where) from error
        return made

    async def renew(self, stop: asyncio.Event, log: Log, *, every: float = LOOK_SECONDS) -> None:
        """Until ``stop``: a certificate whose files changed is taken; one that is wrong is told, and the old one stays."""
        told = ""
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), every)
            except TimeoutError:
                told = self._looked(log, told)

    def _looked(self, log: Log, told: str) -> str:
        now = self._stamps()
        if now == self._seen:
            return ""
        try:
            # First into a context of its own: a certificate without its key would break the one in use.
            self._made()
            self.context.load_cert_chain(*self._files, password=lambda: "")
        except (SettingsError, ssl.SSLError, OSError) as error:
            if str(error) != told:
                log.error("certificate not renewed", reason=str(error))  # noqa: TRY400 (our log; the reason is told)
            return str(error)
        self._seen = now
        log.info("certificate renewed", certificate=self._files[0])
        return ""

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        found = []
        for name in self._files:
            try:
                status = Path(name).stat()
            except OSError:
                found.append((0, 0))
            else:
                found.append((status.st_mtime_ns, status.st_ino))
        return tuple(found)
