"""Every rule of Slipway, in plain Python: no AWS, no clock, no environment."""
