"""`verify-records`: whether every entry of a record is there, unchanged and in its place."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import ValidationError

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Evidence, chain_errors
from slipway.operate.desk import Desk, Refusal
from slipway.ports.records import Records

# A deployment that runs writes its record while we read it.
_LOOKS: Final = 10


def whole(records: Records, deployment_id: str) -> tuple[Deployment, list[Evidence]]:
    """A deployment and its evidence as they stood at one moment."""
    for _ in range(_LOOKS):
        deployment = records.deployment(deployment_id)
        entries = records.evidence(deployment_id)
        if records.deployment(deployment_id).version == deployment.version:
            return deployment, entries
    raise Refusal(f"{deployment_id} is being written too often; try again in a moment.")


def verdict(deployment: Deployment, entries: Sequence[Evidence]) -> str:
    """How many entries a record has, and what is wrong with them."""
    errors = chain_errors(deployment, list(entries))
    return f"{_counted(len(entries), 'entry', 'entries')}, {'; '.join(errors) or 'chain whole'}"


def verify_one(desk: Desk, deployment_id: str) -> Iterator[str]:
    """One record; Refusal when it is not whole."""
    count, errors = _looked_at(desk.records, deployment_id)
    if errors:
        raise Refusal(f"{deployment_id}: {'; '.join(errors)}.")
    yield f"{deployment_id}: {_counted(count, 'entry', 'entries')}, chain whole"


def verify_all(desk: Desk) -> Iterator[str]:
    """Every record of the catalog's lanes; Refusal after all of them when one is not whole."""
    records = entries = broken = 0
    for application, environment, _ in desk.catalog().environments():
        for deployment_id, uncounted in _numbered(desk.records, application, environment):
            count, errors = _looked_at(desk.records, deployment_id)
            records, entries = records + 1, entries + count
            errors = [*uncounted, *errors]
            if errors:
                broken += 1
                yield f"{deployment_id}: {'; '.join(errors)}"
    counted = _counted(records, "record", "records")
    if broken:
        raise Refusal(f"Not whole: {broken} of {counted}.")
    yield f"{counted} with {_counted(entries, 'entry', 'entries')}: every chain is whole."


def _numbered(
    records: Records, application: str, environment: str
) -> Iterator[tuple[str, list[str]]]:
    """Every deployment that the lane has counted, and a newer one that it has not."""
    lane = records.lane(application, environment)
    yield from ((one, []) for one in reversed(lane.newest_ids(lane.next_number)))
    uncounted = records.deployments([lane.next_deployment_id()])
    # A lane counts a deployment by the same write that makes it: it may just have been made.
    if uncounted and records.lane(application, environment).next_number == lane.next_number:
        last = lane.next_number - 1
        yield uncounted[0].deployment_id, [f"the lane {lane.lane_id} has counted to {last} only"]


def _looked_at(records: Records, deployment_id: str) -> tuple[int, list[str]]:
    """How many entries the record has, and what is wrong with it."""
    try:
        deployment, entries = whole(records, deployment_id)
    except Rejected as error:
        if error.reason is not Reason.DEPLOYMENT_UNKNOWN:
            raise
        return 0, ["the deployment is missing"]
    except ValidationError as error:
        return 0, [f"cannot be read ({error.error_count()} fields of a {error.title})"]
    return len(entries), chain_errors(deployment, entries)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
