"""Numbered migrations. One that was released is never edited: its checksum is in every store that ran it."""

from __future__ import annotations

import hashlib

import msgspec


class Migration(msgspec.Struct, frozen=True):
    version: int
    name: str
    statements: tuple[str, ...]

    @property
    def checksum(self) -> str:
        return hashlib.sha256("\n;\n".join(self.statements).encode()).hexdigest()


LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL
) STRICT
"""

_RUNS = """
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  root TEXT NOT NULL,
  started TEXT NOT NULL,
  finished TEXT NOT NULL,
  profile TEXT NOT NULL,
  tool_version TEXT NOT NULL,
  score REAL NOT NULL,
  resources INTEGER NOT NULL,
  gaps INTEGER NOT NULL,
  open TEXT NOT NULL
) STRICT
"""

_FINDINGS = """
CREATE TABLE findings (
  tenant TEXT NOT NULL,
  root TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  control TEXT NOT NULL,
  revision INTEGER NOT NULL,
  severity INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 4),
  outcome TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  ref TEXT NOT NULL,
  element TEXT NOT NULL,
  place TEXT NOT NULL,
  waiver TEXT,
  state TEXT NOT NULL CHECK (state IN ('open', 'fixed', 'reopened', 'waived')),
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  fixed_at TEXT NOT NULL,
  reopened_count INTEGER NOT NULL,
  PRIMARY KEY (tenant, root, fingerprint)
) STRICT
"""

_ENTRIES = """
CREATE TABLE entries (
  sequence INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  root TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  targets TEXT NOT NULL,
  plan BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'applying', 'applied', 'undone', 'failed')),
  UNIQUE (tenant, id)
) STRICT
"""

_STEPS = """
CREATE TABLE steps (
  tenant TEXT NOT NULL,
  entry TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  id TEXT NOT NULL,
  target TEXT NOT NULL,
  existed INTEGER NOT NULL CHECK (existed IN (0, 1)),
  before BLOB CHECK ((before IS NULL) = (existed = 0)),
  after BLOB NOT NULL,
  before_sha256 TEXT NOT NULL,
  after_sha256 TEXT NOT NULL,
  mode INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'applying', 'applied', 'undoing', 'undone', 'failed')),
  PRIMARY KEY (tenant, entry, id),
  FOREIGN KEY (tenant, entry) REFERENCES entries (tenant, id)
) STRICT
"""

# A finding that the last run saw unchanged is not written again: ``content`` tells whether it changed, an empty
# ``last_seen`` stands for the root's last run, and the index answers what a run asks without reading the wide rows.
_UNCHANGED = (
    "ALTER TABLE findings ADD COLUMN content BLOB NOT NULL DEFAULT x''",
    "CREATE INDEX findings_lives ON findings (tenant, root, fingerprint, state, reopened_count, severity, content)",
)

_SAME_RUN = ("ALTER TABLE runs ADD COLUMN content BLOB NOT NULL DEFAULT x''",)

# What a live channel notes of a step on its way, sealed like the bytes.
_PROGRESS = ("ALTER TABLE steps ADD COLUMN progress BLOB",)

_EVIDENCE = ("ALTER TABLE findings ADD COLUMN evidence TEXT NOT NULL DEFAULT ''",)

_UNREAD = ("ALTER TABLE runs ADD COLUMN unread TEXT NOT NULL DEFAULT '[]'",)

MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1,
        "runs and findings",
        (_RUNS, "CREATE INDEX runs_by_root ON runs (tenant, root, id)", _FINDINGS),
    ),
    Migration(2, "journal", (_ENTRIES, _STEPS)),
    Migration(3, "unchanged findings", _UNCHANGED),
    Migration(4, "unchanged runs", _SAME_RUN),
    Migration(5, "progress of live steps", _PROGRESS),
    Migration(6, "evidence of findings", _EVIDENCE),
    Migration(7, "what the last runs could not read", _UNREAD),
)
