"""What well-known credentials look like: a kind and a pattern each, written so that they hold for text and for bytes.

The formats are the issuers' own published prefixes. The patterns find candidates; whether one is live is not asked.
"""

from __future__ import annotations

FORMATS: tuple[tuple[str, str], ...] = (
    ("private-key", r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    ("putty-private-key", r"PuTTY-User-Key-File-[23]:"),
    ("age-secret-key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    ("aws-access-key", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"),
    ("gitlab-token", r"\bgl(?:pat|dt|ptt|rt|ft|cbt|oas|soat)-[A-Za-z0-9_\-]{20,300}"),
    ("slack-token", r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,250}"),
    ("slack-webhook", r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{20,80}"),
    ("google-api-key", r"\bAIza[A-Za-z0-9_\-]{35}\b"),
    ("google-service-account", r'"type"\s{0,4}:\s{0,4}"service_account"'),
    ("stripe-key", r"\b[sr]k_live_[A-Za-z0-9]{20,250}\b"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi-token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_\-]{50,1000}"),
    ("docker-token", r"\bdckr_pat_[A-Za-z0-9_\-]{27}"),
    ("sendgrid-key", r"\bSG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}"),
    ("vault-token", r"\bhv[sbr]\.[A-Za-z0-9_\-]{24,300}"),
    ("digitalocean-token", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    ("azure-storage-key", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("openai-key", r"\bsk-(?:proj-|svcacct-|ant-)[A-Za-z0-9_\-]{20,250}"),
    ("telegram-token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_\-]{33}\b"),
    ("jwt", r"\beyJ[A-Za-z0-9_\-]{10,2000}\.eyJ[A-Za-z0-9_\-]{10,4000}\.[A-Za-z0-9_\-]{10,2000}"),
    ("url-password", r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s/:@\"'$<>{}]{1,100}:[^\s/@\"'$<>{}]{3,200}@"),
)

TELLING_NAME = (
    r"(?:passw(?:or)?d|passphrase|secret|token|api[_\-]?key|access[_\-]?key|private[_\-]?key|credential|"
    r"client[_\-]?key|auth[_\-]?key|encryption[_\-]?key|signing[_\-]?key|connection[_\-]?string|_pwd|dsn)"
)
"""A name that promises a secret behind it, to be matched without regard to case."""
