"""What Slipway needs of the world outside, in its own words; a fake stands in for each."""
