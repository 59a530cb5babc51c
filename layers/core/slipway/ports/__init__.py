"""What Slipway needs from the outside world, in its own terms; tests have a fake for each port."""
