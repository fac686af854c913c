"""Unit tests of the hands on a cluster."""
