"""What looks like a credential, and what only sounds like one."""

from __future__ import annotations

import pytest

from bulkhead.posture.facts import secrets

_KEY = "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ANY", _KEY, "private key"),
        ("ANY", "---BEGIN OPENSSH PRIVATE KEY---", "private key"),
        ("ANY", "AKIA" + "A1B2C3D4E5F6G7H8", "AWS access key"),
        ("ANY", "ghp_" + "a" * 36, "GitHub token"),
        ("ANY", "glpat-" + "a" * 20, "GitLab token"),
        ("ANY", "xoxb-" + "1" * 12, "Slack token"),
        ("ANY", "AIza" + "b" * 35, "Google API key"),
        ("ANY", "sk_live_" + "c" * 24, "Stripe key"),
        ("ANY", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz", "JSON Web Token"),
        ("URL", "postgres://app:s3cret@db/app", "password in a URL"),
        ("REDIS", "redis://:s3cret@cache", "password in a URL"),
        ("DB_PASSWORD", "hunter22", "password or token"),
        ("dbPassword", "hunter22", "password or token"),
        ("SECRET_BLAH", "secretsquirrels", "password or token"),
        ("api-key", "abc123", "password or token"),
        ("AWS_SECRET_ACCESS_KEY", "xxxxx", "password or token"),
        ("AZURE_BATCH_KEY", "xxxxx", "password or token"),
        ("config", "level=info\nREDIS_PASSWORD=abcd1234\n", "password or token"),
        ("config.yaml", "db:\n  password: 'hunter22'\n", "password or token"),
        ("SECRET_NAME", "aB3dE5fG7hJ9kL1mN3pQ5rS7", "high-entropy value"),
    ],
)
def test_true_shapes(name: str, value: str, expected: str) -> None:
    assert secrets.kind(name, value) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "info"),
        ("PASSWORD", ""),
        ("PASSWORD", "${DB_PASSWORD}"),
        ("PASSWORD", "$(DB_PASSWORD)"),
        ("PASSWORD", "{{ .Values.password }}"),
        ("PASSWORD", "<your password>"),
        ("PASSWORD", "xxxxxxxx"),
        ("PASSWORD", "********"),
        ("PASSWORD_FILE", "/run/secrets/password"),
        ("PASSWORD", "/run/secrets/password"),
        ("TOKEN_URL", "https://login.example/token"),
        ("TOKEN_TTL", "3600s"),
        ("SECRET_NAME", "shop-db"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("KEYCLOAK_HOST", "keycloak"),
        ("COMPASS", "north"),
        ("TOKENIZER", "wordpiece"),
        ("config", "REDIS_PASSWORD="),
        ("config.yaml", "image_pull_secrets: []\ncustom_secrets: {}\npassword: |\n"),
        ("env", "REDIS_PASSWORD=${REDIS_PASSWORD}"),
        ("URL", "https://example.com:8443/path"),
        ("URL", "postgres://app:${PASSWORD}@db/app"),
        ("ENABLE_TOKEN", "true"),
    ],
)
def test_false_alarms(name: str, value: str) -> None:
    assert secrets.kind(name, value) == ""


def test_a_long_value_takes_linear_time() -> None:
    assert secrets.kind("notes", "a:b@" * 200_000) == ""
    assert secrets.kind(1, "x") == ""
    assert secrets.kind("PASSWORD", 12) == ""
