"""The dashboard and its read-only API: pages rendered here, without script and without anything from outside.

Reads through the ports of ``app`` and does two things when asked: scans a world of the settings, and takes a change back.
Everything is refused that is not signed in, except signing in, the style and the answers for probes. Never writes a template's
value unescaped, and never shows what is masked in reports.
"""
