"""See CONTRIBUTING.md, section Tests."""
