"""The twin: our model of the part of AWS that Slipway changes, run live or in virtual time."""
