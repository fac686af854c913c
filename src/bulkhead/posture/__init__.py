"""Controls over a Snapshot: views, facts, verdicts, waivers, attack paths.

Pure: takes values and an instant, returns findings. Never fetches.
"""
