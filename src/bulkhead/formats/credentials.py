"""What well-known credentials look like, and how people name what they keep secret: the one place that knows.

The formats are the issuers' own published prefixes. The patterns find candidates; whether one is live is not asked.
They are linear and hold for text and for bytes.
"""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """One issuer's format.

    Attributes:
        kind: a stable word for machines.
        label: the same for people, as it stands after "looks like a".
        hints: every credential of the kind holds one of these: a search for a plain text is a hundred times quicker
            than one for a pattern.
        pattern: the whole credential, or the marker in front of it.
    """

    kind: str
    label: str
    hints: tuple[str, ...]
    pattern: str


URL_USER = r"://[^\s/:@\"'$<>{}]{0,100}:"
URL_REST = r"[^\s/@\"'$<>{}]{3,200}@"
_URL = r"\b[a-z][a-z0-9+.\-]{1,20}" + URL_USER + URL_REST
# Some tools write three dashes, and read them.
_KEY = r"-{3,5}BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-{3,5}"
_GITHUB = r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"
_GITLAB = r"\bgl(?:pat|dt|ptt|rt|ft|cbt|oas|soat)-[A-Za-z0-9_\-]{20,300}"
_GITLAB_HINTS = ("glpat-", "gldt-", "glptt-", "glrt-", "glft-", "glcbt-", "gloas-", "glsoat-")
_SLACK_HOOK = r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,80}"
_OPENAI = r"\bsk-(?:proj-|svcacct-|ant-)[A-Za-z0-9_\-]{20,250}"
_JWT = r"\beyJ[A-Za-z0-9_\-]{10,2000}\.eyJ[A-Za-z0-9_\-]{10,4000}\.[A-Za-z0-9_\-]{10,2000}"

FORMATS: tuple[Format, ...] = (
    Format("private-key", "private key", ("PRIVATE KEY",), _KEY),
    Format("putty-private-key", "PuTTY private key", ("PuTTY-User-Key",), r"PuTTY-User-Key-File-[23]:"),
    Format("age-secret-key", "age secret key", ("AGE-SECRET-KEY",), r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    Format("aws-access-key", "AWS access key", ("AKIA", "ASIA"), r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    Format("github-token", "GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), _GITHUB),
    Format("gitlab-token", "GitLab token", _GITLAB_HINTS, _GITLAB),
    Format("slack-token", "Slack token", ("xox",), r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,250}"),
    Format("slack-webhook", "Slack webhook", ("hooks.slack.com",), _SLACK_HOOK),
    Format("google-api-key", "Google API key", ("AIza",), r"\bAIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])"),
    Format(
        "google-service-account",
        "Google service account key",
        ("service_account",),
        r'"type"\s{0,4}:\s{0,4}"service_account"',
    ),
    Format("stripe-key", "Stripe key", ("sk_live_", "rk_live_"), r"\b[sr]k_live_[A-Za-z0-9]{20,250}\b"),
    Format("npm-token", "npm token", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
    Format("pypi-token", "PyPI token", ("pypi-AgEI",), r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_\-]{50,1000}"),
    Format("docker-token", "Docker token", ("dckr_pat_",), r"\bdckr_pat_[A-Za-z0-9_\-]{27}"),
    Format("sendgrid-key", "SendGrid key", ("SG.",), r"\bSG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}"),
    Format("vault-token", "Vault token", ("hvs.", "hvb.", "hvr."), r"\bhv[sbr]\.[A-Za-z0-9_\-]{24,300}"),
    Format(
        "digitalocean-token",
        "DigitalOcean token",
        ("dop_v1_", "doo_v1_", "dor_v1_"),
        r"\bdo[opr]_v1_[a-f0-9]{64}\b",
    ),
    Format("azure-storage-key", "Azure storage key", ("AccountKey=",), r"AccountKey=[A-Za-z0-9+/]{86}=="),
    Format("openai-key", "key of a language model's service", ("sk-proj-", "sk-svcacct-", "sk-ant-"), _OPENAI),
    Format("telegram-token", "Telegram token", (":AA",), r"\b[0-9]{8,10}:AA[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])"),
    Format("jwt", "JSON Web Token", ("eyJ",), _JWT),
    Format("url-password", "password in a URL", ("://",), _URL),
)

_WORDS = (
    r"passw(?:or)?d|passphrase|secret|token|credential|"
    r"(?:api|access|private|client|auth|encryption|signing)[_\-]?key"
)
TELLING_NAME = rf"(?:{_WORDS}|connection[_\-]?string|_pwd|dsn)"
"""Words that promise a secret, or a text with a secret in it, wherever in a name they stand (regardless of case)."""

TELLING_WORD = rf"(?:^|[_\-.])(?:{_WORDS}|pass|pwd|bearer)s?(?:$|[_\-.])"
"""Words whose value is a secret itself, as a whole word of a name in lower case: a compass has no pass."""
