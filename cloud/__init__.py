"""The embedded cloud: an AWS to try Slipway on, without an account, Docker or a network."""
