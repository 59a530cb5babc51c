"""The sweep and its chores: one module per chore, each yielding jobs that fail independently."""
