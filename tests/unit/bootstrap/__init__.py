"""Unit tests of bootstrap."""
