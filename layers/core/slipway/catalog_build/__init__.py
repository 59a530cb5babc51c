"""Checks and compiles `catalog/*.yaml`. Runs when the layers are built, never in Lambda."""
