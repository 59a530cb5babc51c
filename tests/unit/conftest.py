"""Property-based tests look at the same cases in every run, and take no long."""

from hypothesis import settings

settings.register_profile("unit", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("unit")
