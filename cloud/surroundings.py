"""What a person's own shell says that must not reach the embedded cloud's tools."""

import os
from typing import Final

# A profile or a session of a real account: AWS's tools would look for it, and refuse without it.
OWN_ACCOUNT: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
_LOOPBACK: Final = "localhost,127.0.0.1,127.0.0.0/8"


def settle_in() -> None:
    """Forget the account of the shell, and ask no proxy for loopback addresses."""
    for name in OWN_ACCOUNT:
        os.environ.pop(name, None)
    for name in ("NO_PROXY", "no_proxy"):
        own = os.environ.get(name)
        os.environ[name] = f"{own},{_LOOPBACK}" if own else _LOOPBACK
