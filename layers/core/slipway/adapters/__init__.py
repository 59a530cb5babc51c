"""One module per outside system: each translates its terms and errors into Slipway's."""
