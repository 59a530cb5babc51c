"""Names of the environment variables without which this version does not start."""

REQUIRED_SETTINGS: tuple[str, ...] = ()
