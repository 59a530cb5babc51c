"""A sweep's calls are counted: a large catalog must not outlive the function's minute."""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import requests

from cloud.simulation.clients import Client
from cloud.simulation.table import Table
from slipway.adapters.announcements import EventBridgeAnnouncements
from slipway.adapters.ecr import EcrRegistry
from slipway.adapters.executions import StepFunctionsExecutions
from slipway.adapters.records import DynamoDBRecords
from slipway.chores.job import Admit
from slipway.chores.sweep import SweepResult, sweep
from slipway.domain.catalog import Application, Catalog
from slipway.domain.deployment import Deployment, Origin, Phase
from slipway.domain.lane import Candidate, Lane
from slipway.domain.outcome import Outcome
from slipway.journal import Journal
from slipway.ports.records import Admission
from slipway.requests.admit import admit
from slipway.requests.wishes import promotion_wish_id, push_wish
from tests.builders.documents import NEW, SETTINGS, START, release, stable
from tests.builders.fakes.targets import InMemoryOneOffs

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:slipway-deployment"
MOST = 200


class Account:
    """AWS as far as a sweep calls it; every call is counted, and noted in its order."""

    def __init__(self) -> None:
        self.table = Table()
        self.calls: list[str] = []
        self.running: list[str] = []

    def perform(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(operation)
        match operation:
            case "ListExecutions":
                return self._listed(params)
            case "DescribeImages":
                return self._described(params["repositoryName"])
            case "PutEvents":
                return {"FailedEntryCount": 0, "Entries": []}
            case "GetItem":
                return self.table.get_item(params)
            case "BatchGetItem":
                return self.table.batch_get_item(params)
            case "Query":
                return self.table.query(params)
            case "TransactWriteItems":
                return self.table.transact_write_items(params)
        raise AssertionError(f"{service} {operation} was not expected")

    def _listed(self, params: dict[str, Any]) -> dict[str, Any]:
        executions = [
            {"executionArn": MACHINE, "stateMachineArn": MACHINE, "name": name, "status": "RUNNING"}
            for name in self.running
        ]
        return {"executions": executions[: params["maxResults"]]}

    def _described(self, repository: str) -> dict[str, Any]:
        pushed = {"imageDigest": NEW, "imageTags": ["v2"], "imagePushedAt": START}
        return {"imageDetails": [pushed]}

    def client(self, service: str) -> Any:
        return Client(service, lambda: self)

    def swept(self, catalog: Catalog, turn: int | None) -> tuple[SweepResult, Counter[str]]:
        """One sweep an hour after the pushes, and its calls."""
        self.calls.clear()
        now = START + timedelta(hours=1)
        ports: Any = {
            "records": DynamoDBRecords(self.client("dynamodb"), "slipway"),
            "executions": StepFunctionsExecutions(
                self.client("stepfunctions"), MACHINE, lambda: now
            ),
            "announcements": EventBridgeAnnouncements(self.client("events"), "slipway"),
        }
        with requests.Session() as session:
            ports["registry"] = EcrRegistry(self.client("ecr"), session)
            found = sweep(
                **ports,
                catalog=catalog,
                one_offs=InMemoryOneOffs(),
                admit=_admitting(ports, catalog, now),
                clock=lambda: now,
                turn=turn,
            )
        return found, Counter(self.calls)


def _admitting(ports: dict[str, Any], catalog: Catalog, now: datetime) -> Admit:
    others = {name: port for name, port in ports.items() if name != "records"}
    return partial(admit, journal=Journal(ports["records"], now), **others, catalog=catalog)


def a_catalog(lanes: int) -> Catalog:
    """Half of the lanes are fed by a repository each, and promote to the others."""
    applications = {}
    for number in range(lanes // 2):
        service = {"service": f"app{number}", "container": "app"}
        staging = SETTINGS | {"push": {"repository": f"app{number}", "tags": ["v*"]}}
        staging |= {"database": {"identifier": f"app{number}-staging"}}
        staging |= {"target": service | {"cluster": "staging"}}
        production = SETTINGS | {"after": "staging", "push": None}
        production |= {"database": {"identifier": f"app{number}-production"}}
        production |= {"target": service | {"cluster": "production"}}
        name = f"app{number}"
        environments = {"staging": staging, "production": production}
        applications[name] = Application.model_validate(
            {"application": name, "environments": environments}
        )
    return Catalog(applications=applications)


def an_account(catalog: Catalog) -> Account:
    """Every staging has succeeded and was promoted; every production waits."""
    account = Account()
    records = DynamoDBRecords(account.client("dynamodb"), "slipway")
    for name in catalog.applications:
        done, waits = f"{name}-staging-1", f"{name}-production-1"
        for environment, deployment_id in (("staging", done), ("production", waits)):
            newest = Candidate(deployment_id=deployment_id, order=START, digest=NEW)
            last = stable(deployment_id=done) if environment == "staging" else None
            lane = Lane(application=name, environment=environment, newest=newest, stable=last)
            pushed = release().model_copy(update={"repository": name})
            deployment = Deployment(
                deployment_id=deployment_id,
                application=name,
                environment=environment,
                number=1,
                release=pushed,
                origin=Origin.PUSH,
                requested_by="push",
                requested_at=START,
                explicit=False,
                phase=Phase.SETTLED if environment == "staging" else Phase.AWAITING_LANE,
                outcome=Outcome.SUCCEEDED if environment == "staging" else None,
            )
            records.write([lane, deployment])
        wish = push_wish(name, "staging", pushed, Origin.PUSH)
        records.write([], admission=Admission(admission_id=wish.wish_id, deployment_id=done))
        promoted = Admission(
            admission_id=promotion_wish_id(done, "production"), deployment_id=waits
        )
        records.write([], admission=promoted)
        account.running.append(waits)
    return account


@pytest.mark.parametrize(("lanes", "most"), [(10, 20), (100, 70), (1000, MOST)])
def test_a_sweep_calls_aws_a_bounded_number_of_times(lanes: int, most: int) -> None:
    catalog = a_catalog(lanes)
    account = an_account(catalog)

    for turn in (0, 1, 2, 3, 4):
        found, calls = account.swept(catalog, turn)

        assert (found.problems, found.admitted) == ((), ())
        assert calls.total() <= most, (turn, calls)


def test_in_four_minutes_everybody_is_woken_and_every_repository_is_looked_at() -> None:
    catalog = a_catalog(1000)
    account = an_account(catalog)
    woken: Counter[str] = Counter()
    looked = 0
    for turn in (7, 8, 9, 10):
        found, calls = account.swept(catalog, turn)
        woken.update(found.woken)
        looked += calls["DescribeImages"]

    assert woken == Counter(account.running)
    assert looked == 500


def test_who_waits_comes_first_and_the_registry_last() -> None:
    catalog = a_catalog(100)
    account = an_account(catalog)

    account.swept(catalog, None)

    calls = account.calls
    assert calls.index("ListExecutions") < 5
    # The first batch is who waits, by the keys that the index has; the next are of other chores.
    batches = [place for place, one in enumerate(calls) if one == "BatchGetItem"]
    told = [place for place, one in enumerate(calls) if one == "PutEvents"]
    assert batches[0] < min(told) <= max(told) < batches[1]
    assert set(calls[calls.index("DescribeImages") :]) == {"DescribeImages", "TransactWriteItems"}


def test_a_sweep_that_nobody_scheduled_does_everything() -> None:
    catalog = a_catalog(1000)
    account = an_account(catalog)

    found, calls = account.swept(catalog, None)

    assert len(found.woken) == 500
    assert calls["DescribeImages"] == 500
    assert calls["DescribeExecution"] == 0
