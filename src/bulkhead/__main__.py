"""``python -m bulkhead``."""

from bulkhead.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
