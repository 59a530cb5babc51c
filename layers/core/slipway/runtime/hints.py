"""Which keys an event names: the only place that reads the shape of AWS's events to wake a step.

An event that does not have the expected shape names no key and wakes nobody; the fallback timer
of the state looks again.
"""

from typing import Any


def hints(event: dict[str, Any], account: str) -> tuple[str, ...]:
    """The keys under which requests may be parked that this event is about."""
    if event.get("account") != account:
        return ()
    detail = event.get("detail")
    kind = (str(event.get("source")), str(event.get("detail-type")))
    reader = _READERS.get(kind)
    if reader is None or not isinstance(detail, dict):
        return ()
    return tuple(reader(detail, _resources(event)))


def _resources(event: dict[str, Any]) -> list[str]:
    named = event.get("resources")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def _snapshot(detail: dict[str, Any], resources: list[str]) -> list[str]:
    return [f"snapshot:{detail.get('SourceIdentifier')}"]


def _task(detail: dict[str, Any], resources: list[str]) -> list[str]:
    return [f"task:{detail.get('startedBy')}"]


def _service(detail: dict[str, Any], resources: list[str]) -> list[str]:
    return [f"service:{arn}" for arn in resources]


def _scan(detail: dict[str, Any], resources: list[str]) -> list[str]:
    return [f"scan:{detail.get('repository-name')}@{detail.get('image-digest')}"]


def _inspected(detail: dict[str, Any], resources: list[str]) -> list[str]:
    """Inspector names the repository by its ARN, whose last part is the repository's own name."""
    named = str(detail.get("repository-name"))
    repository = named.partition(":repository/")[2] or named
    return [f"scan:{repository}@{detail.get('image-digest')}"]


def _ours(detail: dict[str, Any], resources: list[str]) -> list[str]:
    named = [f"{what}:{detail[key]}" for what, key in _NAMED if isinstance(detail.get(key), str)]
    return [*named, "databases"]


_NAMED = (("deployment", "deployment_id"), ("lane", "lane"))
_READERS = {
    ("aws.rds", "RDS DB Snapshot Event"): _snapshot,
    ("aws.rds", "RDS DB Cluster Snapshot Event"): _snapshot,
    ("aws.ecs", "ECS Task State Change"): _task,
    ("aws.ecs", "ECS Deployment State Change"): _service,
    ("aws.ecr", "ECR Image Scan"): _scan,
    ("aws.inspector2", "Inspector2 Scan"): _inspected,
    ("slipway", "Deployment Settled"): _ours,
    ("slipway", "Candidate Admitted"): _ours,
    ("slipway", "Approval Decided"): _ours,
    ("slipway", "Cancel Requested"): _ours,
    ("slipway", "Look Again"): _ours,
}
