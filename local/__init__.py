"""The embedded cloud: an AWS to try Slipway on, without an account, a Docker engine or a network."""
