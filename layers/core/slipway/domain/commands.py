"""The operator's commands, as messages quote them for people to run.

``operate`` stands for ``python -m slipway.operate``; see docs/operate.md.
"""

import shlex


def deploy_command(lane_id: str, reference: str, *options: str) -> str:
    """The command that requests a release: by its digest (``sha256:...``), or else by its tag."""
    kind = "--digest" if reference.startswith("sha256:") else "--tag"
    words = ("operate", "deploy", lane_id, kind, reference, "--reason", "...", *options)
    return shlex.join(words)


def lift_command(lane_id: str, *options: str) -> str:
    """The command that lifts the hold of a lane."""
    return shlex.join(("operate", "lift", lane_id, *options))


def cancel_command(deployment_id: str) -> str:
    """The command that ends a deployment, or rolls it back."""
    return shlex.join(("operate", "cancel", deployment_id))


def show_command(deployment_id: str) -> str:
    """The command that shows a deployment's record, with the last log lines of its tasks."""
    return shlex.join(("operate", "show", deployment_id))
