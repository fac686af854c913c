"""The SQLite store: privacy, schema, crashes, speed."""
