"""TLS to an API server: at least 1.2, the kubeconfig's authority, our certificate."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from bulkhead.clients.kube.config import Cluster
from bulkhead.clients.kube.credentials import Credentials
from bulkhead.core.errors import SettingsError


def context(cluster: Cluster, credentials: Credentials) -> ssl.SSLContext:
    """Raises SettingsError where a certificate or a key cannot be taken."""
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if cluster.authority:
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            made.minimum_version = ssl.TLSVersion.TLSv1_2
            made.load_verify_locations(cadata=cluster.authority.decode("ascii", "replace"))
        if cluster.insecure:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        if credentials.certificate:
            _ours(made, credentials)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise SettingsError("a certificate or key of the kubeconfig cannot be taken", where=cluster.name) from error
    return made


def _ours(made: ssl.SSLContext, credentials: Credentials) -> None:
    """The library takes a key from a file only: one that lives in memory and has no name."""
    handle = os.memfd_create("bulkhead", os.MFD_CLOEXEC)
    try:
        os.write(handle, credentials.certificate.rstrip() + b"\n" + credentials.key)
        made.load_cert_chain(Path(f"/proc/self/fd/{handle}"))
    finally:
        os.close(handle)
