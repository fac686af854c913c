"""Secrets in files and settings, by name and by the formats of their issuers. Only the kind is kept, never the value."""

from __future__ import annotations

import re

from bulkhead.formats.credentials import FORMATS, TELLING_NAME

# What a file called so is made for. A kind with ``?`` needs its content to agree.
_NAMES: dict[str, str] = {
    "id_rsa": "private-key?",
    "id_dsa": "private-key?",
    "id_ecdsa": "private-key?",
    "id_ed25519": "private-key?",
    ".netrc": "netrc?",
    ".pgpass": "pgpass",
    ".git-credentials": "git-credentials",
    ".npmrc": "npm-token?",
    ".yarnrc.yml": "npm-token?",
    ".pypirc": "pypi-password?",
    ".dockercfg": "docker-login?",
    ".dockerconfigjson": "docker-login?",
    ".htpasswd": "password-hashes",
    ".s3cfg": "s3-key?",
    ".vault-token": "vault-token",
    ".my.cnf": "mysql-password?",
    "terraform.tfstate": "terraform-state",
}
_PATHS = {
    ".aws/credentials": "aws-access-key?",
    ".docker/config.json": "docker-login?",
    ".kube/config": "kubeconfig?",
    "etc/kubernetes/admin.conf": "kubeconfig?",
    "etc/rancher/k3s/k3s.yaml": "kubeconfig?",
    ".azure/msal_token_cache.json": "azure-token",
    ".config/gcloud/credentials.db": "google-credentials",
    ".config/gcloud/application_default_credentials.json": "google-credentials",
}
_ENDINGS = {
    ".p12": "key-store",
    ".pfx": "key-store",
    ".jks": "key-store",
    ".keystore": "key-store",
    ".kdbx": "password-database",
    ".ppk": "putty-private-key",
    ".tfstate": "terraform-state",
}
_CONTENT = {
    "private-key?": rb"PRIVATE KEY",
    "netrc?": rb"\bpassword\s+\S",
    "npm-token?": rb"(?i)(?:_authToken|_auth|_password|npmAuthToken)\s*[=:]\s*[^\s$]",
    "pypi-password?": rb"(?m)^\s*password\s*[=:]\s*\S",
    "docker-login?": rb'"(?:auth|identitytoken|password)"\s*:\s*"[^"]',
    "s3-key?": rb"(?m)^\s*secret_key\s*=\s*\S",
    "mysql-password?": rb"(?m)^\s*password\s*=\s*\S",
    "aws-access-key?": rb"(?m)^\s*aws_secret_access_key\s*=\s*\S",
    "kubeconfig?": rb"(?m)^\s*-?\s*(?:client-key-data|token|password)\s*:\s*\S",
}
_CONTENT_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _CONTENT.items()}
# A settings file's assignment of a literal to a telling name.
_SETTING = re.compile(
    rb"(?im)^[ \t]*(?:export[ \t]+)?[\w.\-]{0,60}"
    + TELLING_NAME.encode()
    + rb"[\w.\-]{0,20}[ \t]*=[ \t]*[\"']?[^\s\"'$#<{]{4}"
)
# Too short a beginning to be looked for in every file of an image; settings and arguments are searched for them.
_LOOSE = {"telegram-token", "jwt", "url-password"}
# Programs that read keys hold the marker too; a key has its body behind it (in JSON after an escaped line end).
_KEY_BODY = r"(?:\r?\n|\\n)[ \t]{0,40}[A-Za-z0-9+/=:, \-]{8}"
_FORMATS = tuple(
    (
        known.kind,
        tuple(hint.encode() for hint in known.hints),
        re.compile((known.pattern + (_KEY_BODY if known.kind == "private-key" else "")).encode()),
    )
    for known in FORMATS
    if known.kind not in _LOOSE
)
_TEXT_FORMATS = tuple((known.kind, re.compile(known.pattern)) for known in FORMATS)
# Documentation, and the test keys that cryptographic packages carry.
_SKIPPED = re.compile(
    r"usr/(?:local/)?share/(?:doc|man|info|licenses)/|(?:^|/)(?:dist|site)-packages/.*/tests?/|"
    r"lib/python3[^/]*/(?:test|idlelib)/|(?:^|/)node_modules/.*/(?:test|tests|fixtures)/"
)
_EXAMPLE = re.compile(rb"EXAMPLE|example|xxxx|XXXX|0{12}")
_TELLING = re.compile(TELLING_NAME, re.IGNORECASE)
_REFERENCE = re.compile(r"(?:file|path|dir|name|url|host|user|version|id|type|ttl|seconds|expir\w*)$", re.IGNORECASE)


def wants_content(path: str, size: int) -> bool:
    """Whether the beginning of such a file is worth a look."""
    return 16 <= size <= 8 * 1024 * 1024 and not _SKIPPED.search(path)


def kind_of(path: str, head: bytes) -> str:
    """The kind of secret that a file is or holds, empty for none."""
    name = path.rpartition("/")[2]
    kind = _NAMES.get(name, "")
    kind = kind or next((kind for ending, kind in _PATHS.items() if path.endswith(ending)), "")
    kind = kind or next((kind for ending, kind in _ENDINGS.items() if name.endswith(ending)), "")
    if kind and (not kind.endswith("?") or _CONTENT_PATTERNS[kind].search(head)):
        return kind.rstrip("?")
    if not head or b"\0" in head[:1024] or _SKIPPED.search(path):
        return ""
    for kind, hints, pattern in _FORMATS:
        if any(hint in head for hint in hints):
            match = pattern.search(head)
            if match and not _EXAMPLE.search(match[0]):
                return kind
    is_settings = name == ".env" or name.startswith(".env.") or name.endswith(".env")
    if is_settings and not name.endswith((".example", ".sample", ".template")) and _SETTING.search(head):
        return "settings-password"
    return ""


def is_telling(name: str) -> bool:
    """Whether a variable of that name promises a secret rather than the way to one."""
    return bool(_TELLING.search(name)) and not _REFERENCE.search(name)


def kind_in_text(text: str) -> str:
    """The kind of credential whose format occurs in a text, empty for none."""
    return next((kind for kind, pattern in _TEXT_FORMATS if pattern.search(text)), "")
