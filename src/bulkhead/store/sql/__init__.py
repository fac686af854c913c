"""Findings and journal in plain SQL that SQLite and PostgreSQL both speak. Knows neither; an adapter brings the database."""
