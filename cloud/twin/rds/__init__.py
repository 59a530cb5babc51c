"""Relational Database Service: instances and snapshots."""
