"""The operator's command line, as a message tells a person what to type next.

``operate`` stands for ``python -m slipway.operate``; see docs/operate.md.
"""

import shlex


def deploy_command(lane_id: str, reference: str, *options: str) -> str:
    """How a release is asked for: by its digest (``sha256:...``), or else by its tag."""
    kind = "--digest" if reference.startswith("sha256:") else "--tag"
    words = ("operate", "deploy", lane_id, kind, reference, "--reason", "...", *options)
    return shlex.join(words)


def lift_command(lane_id: str, *options: str) -> str:
    """How the hold of a lane is lifted."""
    return shlex.join(("operate", "lift", lane_id, *options))


def cancel_command(deployment_id: str) -> str:
    """How a deployment is stopped, or taken back."""
    return shlex.join(("operate", "cancel", deployment_id))


def show_command(deployment_id: str) -> str:
    """How a deployment's record is read, the end of its tasks' logs with it."""
    return shlex.join(("operate", "show", deployment_id))
