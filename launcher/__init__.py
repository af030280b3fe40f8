"""Starts Sunmed on one machine: environment, embedded PostgreSQL, migrations, processes. Used by dev.py and by tests."""
