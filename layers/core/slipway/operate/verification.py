"""`verify-records`: whether every entry of a record exists, is unchanged and in order."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import ValidationError

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Reason, Rejected
from slipway.domain.evidence import Evidence, chain_errors
from slipway.operate.desk import Desk, Refusal
from slipway.ports.records import Records

# A running deployment may write its record between our reads.
_LOOKS: Final = 10


def read_record(records: Records, deployment_id: str) -> tuple[Deployment, list[Evidence]]:
    """A deployment and its evidence, consistent with each other."""
    for _ in range(_LOOKS):
        deployment = records.deployment(deployment_id)
        entries = records.evidence(deployment_id)
        if records.deployment(deployment_id).version == deployment.version:
            return deployment, entries
    raise Refusal(f"{deployment_id} keeps changing; try again in a moment.")


def verdict(deployment: Deployment, entries: Sequence[Evidence]) -> str:
    """The number of entries of a record, and what is wrong with them."""
    errors = chain_errors(deployment, list(entries))
    return f"{_count(len(entries), 'entry', 'entries')}, {'; '.join(errors) or 'chain intact'}"


def verify_one(desk: Desk, deployment_id: str) -> Iterator[str]:
    """Verify one record; Refusal when its chain is broken."""
    count, errors = _verify(desk.records, deployment_id)
    if errors:
        raise Refusal(f"{deployment_id}: {'; '.join(errors)}.")
    yield f"{deployment_id}: {_count(count, 'entry', 'entries')}, chain intact"


def verify_all(desk: Desk) -> Iterator[str]:
    """Verify the records of all lanes in the catalog; Refusal at the end when any is broken."""
    records = entries = broken = 0
    for application, environment, _ in desk.catalog().environments():
        for deployment_id, unknown in _deployments(desk.records, application, environment):
            count, errors = _verify(desk.records, deployment_id)
            records, entries = records + 1, entries + count
            errors = [*unknown, *errors]
            if errors:
                broken += 1
                yield f"{deployment_id}: {'; '.join(errors)}"
    total = _count(records, "record", "records")
    if broken:
        raise Refusal(f"Broken: {broken} of {total}.")
    yield f"{total} with {_count(entries, 'entry', 'entries')}: all chains intact."


def _deployments(
    records: Records, application: str, environment: str
) -> Iterator[tuple[str, list[str]]]:
    """Every deployment of a lane, and a newer one that the lane does not know."""
    lane = records.lane(application, environment)
    yield from ((one, []) for one in reversed(lane.newest_ids(lane.next_number)))
    unknown = records.deployments([lane.next_deployment_id()])
    # Lane and deployment are written together, so it may also have been created just now.
    if unknown and records.lane(application, environment).next_number == lane.next_number:
        last = lane.next_number - 1
        yield unknown[0].deployment_id, [f"the lane {lane.lane_id} knows only {last} deployments"]


def _verify(records: Records, deployment_id: str) -> tuple[int, list[str]]:
    """The number of entries of the record, and what is wrong with it."""
    try:
        deployment, entries = read_record(records, deployment_id)
    except Rejected as error:
        if error.reason is not Reason.DEPLOYMENT_UNKNOWN:
            raise
        return 0, ["the deployment is missing"]
    except ValidationError as error:
        return 0, [f"unreadable: {error.error_count()} invalid fields in {error.title}"]
    return len(entries), chain_errors(deployment, entries)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
