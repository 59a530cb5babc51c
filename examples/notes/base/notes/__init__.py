"""The example application: a small notes service on FastAPI and PostgreSQL."""
