"""A local Slack: its API, its pages, and what it accepts."""
