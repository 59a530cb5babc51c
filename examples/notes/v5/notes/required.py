"""Names of the environment variables without which this version does not start."""

# The release needs a setting that nobody added to the task definition.
REQUIRED_SETTINGS: tuple[str, ...] = ("NOTES_SEARCH_ENDPOINT",)
