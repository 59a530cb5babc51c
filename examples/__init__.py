"""Example programs of the kinds that Slipway deploys."""
