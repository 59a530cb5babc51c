"""Elastic Container Registry: images, scans, and the distribution protocol."""
