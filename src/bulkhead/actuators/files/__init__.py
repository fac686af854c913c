"""Files, one at a time, whole or not at all."""
