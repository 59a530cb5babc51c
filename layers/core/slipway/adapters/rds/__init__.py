"""Databases in RDS: one module per kind, and what the kinds share."""
