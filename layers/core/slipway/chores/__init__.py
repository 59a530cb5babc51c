"""What the sweep looks for: one module per chore, each a list of jobs that may be done alone."""
