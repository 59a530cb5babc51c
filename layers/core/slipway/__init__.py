"""Slipway: an event-driven deployment control plane for AWS."""
