"""Numbered migrations, as in SQLite. Texts sort by their bytes (``COLLATE "C"``), so that every store lists alike."""

from __future__ import annotations

from typing import Final

from bulkhead.store.sqlite.schema import Migration

LEDGER: Final = (
    "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)"
)

_RUNS = """
CREATE TABLE runs (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant TEXT COLLATE "C" NOT NULL,
  root TEXT COLLATE "C" NOT NULL,
  started TEXT NOT NULL,
  finished TEXT NOT NULL,
  profile TEXT NOT NULL,
  tool_version TEXT NOT NULL,
  score DOUBLE PRECISION NOT NULL,
  resources BIGINT NOT NULL,
  gaps BIGINT NOT NULL,
  open TEXT NOT NULL,
  content BYTEA NOT NULL
)
"""

_FINDINGS = """
CREATE TABLE findings (
  tenant TEXT COLLATE "C" NOT NULL,
  root TEXT COLLATE "C" NOT NULL,
  fingerprint TEXT COLLATE "C" NOT NULL,
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
  content BYTEA NOT NULL,
  evidence TEXT NOT NULL,
  PRIMARY KEY (tenant, root, fingerprint)
)
"""

_ENTRIES = """
CREATE TABLE entries (
  sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  root TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  targets TEXT NOT NULL,
  plan BYTEA NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'applying', 'applied', 'undone', 'failed')),
  UNIQUE (tenant, id)
)
"""

_STEPS = """
CREATE TABLE steps (
  tenant TEXT COLLATE "C" NOT NULL,
  entry TEXT COLLATE "C" NOT NULL,
  ordinal INTEGER NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  target TEXT NOT NULL,
  existed INTEGER NOT NULL CHECK (existed IN (0, 1)),
  before BYTEA CHECK ((before IS NULL) = (existed = 0)),
  after BYTEA NOT NULL,
  before_sha256 TEXT NOT NULL,
  after_sha256 TEXT NOT NULL,
  mode INTEGER NOT NULL,
  uid BIGINT NOT NULL,
  gid BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'applying', 'applied', 'undoing', 'undone', 'failed')),
  progress BYTEA,
  PRIMARY KEY (tenant, entry, id),
  FOREIGN KEY (tenant, entry) REFERENCES entries (tenant, id)
)
"""

MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "runs and findings", (_RUNS, "CREATE INDEX runs_by_root ON runs (tenant, root, id)", _FINDINGS)),
    Migration(2, "journal", (_ENTRIES, _STEPS)),
    Migration(
        3, "what the last runs could not read", ("ALTER TABLE runs ADD COLUMN unread TEXT NOT NULL DEFAULT '[]'",)
    ),
)
