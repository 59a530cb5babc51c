"""The fault simulator: Slipway's real handlers over a model of AWS in virtual time."""
