"""Slack as a place where people are told: as a bot, or through an incoming webhook."""
