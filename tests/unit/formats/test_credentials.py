"""The table of credentials keeps its own promises: hints that are in every match, and patterns that stay linear."""

from __future__ import annotations

import re
import time

import pytest

from bulkhead.formats.credentials import FORMATS, TELLING_NAME, TELLING_WORD, Format

# Put together here, so that no scanner takes this file for a leak.
SAMPLES = {
    "private-key": "-----BEGIN " + "EC PRIVATE KEY-----",
    "putty-private-key": "PuTTY-User-" + "Key-File-3: ssh-ed25519",
    "age-secret-key": "AGE-SECRET-" + "KEY-1" + "Q" * 58,
    "aws-access-key": "key_AKIA" + "A1B2C3D4E5F6G7H8",
    "github-token": "ghp_" + "a" * 36,
    "gitlab-token": "gloas-" + "a" * 20,
    "slack-token": "xoxr-" + "1" * 12,
    "slack-webhook": "https://hooks." + "slack.com/services/" + "T0/" * 10,
    "google-api-key": "AIza" + "b" * 34 + "-",
    "google-service-account": '{"type": "service' + '_account"}',
    "stripe-key": "rk_live_" + "c" * 24,
    "npm-token": "npm_" + "d" * 36,
    "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" + "e" * 50,
    "docker-token": "dckr_pat_" + "f" * 27,
    "sendgrid-key": "SG." + "g" * 22 + "." + "h" * 43,
    "vault-token": "hvs." + "i" * 24,
    "digitalocean-token": "dop_v1_" + "0a" * 32,
    "azure-storage-key": "AccountKey=" + "j" * 86 + "==",
    "openai-key": "sk-proj-" + "k" * 20,
    "telegram-token": "12345678:AA" + "l" * 33,
    "jwt": "eyJ" + "m" * 10 + ".eyJ" + "n" * 10 + "." + "o" * 10,
    "url-password": "redis://:" + "s3cret@cache",
}


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.kind)
def test_a_sample_is_found_in_text_and_bytes_and_holds_a_hint(known: Format) -> None:
    for text in (SAMPLES[known.kind], f'value: "{SAMPLES[known.kind]}" # end'):
        assert re.search(known.pattern, text)
        assert re.search(known.pattern.encode(), text.encode())
        assert any(hint in text for hint in known.hints)


def test_kinds_and_labels_are_told_apart() -> None:
    assert set(SAMPLES) == {known.kind for known in FORMATS}
    assert len({known.label for known in FORMATS}) == len(FORMATS) == len(SAMPLES)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.kind)
def test_beginnings_repeated_take_linear_time(known: Format) -> None:
    begin = time.process_time()
    for piece in (*known.hints, SAMPLES[known.kind][:-1]):
        re.search(known.pattern, (piece + "\n") * 2_000)
        re.search(known.pattern, piece * 2_000)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("name", "anywhere", "word"),
    [
        ("db_password", True, True),
        ("passwd", True, True),
        ("tls-client-key", True, True),
        ("tokens", True, True),
        ("pass", False, True),
        ("bearer", False, True),
        ("sentry_dsn", True, False),
        ("tokenizer", True, False),
        ("compass", False, False),
        ("bypass_cache", False, False),
        ("monkey", False, False),
    ],
)
def test_names(name: str, anywhere: bool, word: bool) -> None:
    assert bool(re.search(TELLING_NAME, name)) is anywhere
    assert bool(re.search(TELLING_WORD, name)) is word
