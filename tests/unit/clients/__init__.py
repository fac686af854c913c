"""Clients: what they send, and what they do not put up with."""
