"""A database instance as it stands, in the shapes of RDS's API reference."""

from typing import Any

import pytest

from slipway.adapters.rds_instances import RdsInstances
from slipway.domain.errors import Broken
from slipway.domain.preflight import DatabaseInstance
from tests.integration.adapters.stubbed import refuse, stubbed

ASKED = {"DBInstanceIdentifier": "notes-db"}


def _instance(**described: Any) -> DatabaseInstance | None:
    known = {"DBInstanceIdentifier": "notes-db", "DBInstanceStatus": "available"}
    with stubbed("rds") as (client, stub):
        answer = {"DBInstances": [known | {"StorageEncrypted": True} | described]}
        stub.add_response("describe_db_instances", answer, ASKED)
        return RdsInstances(client).instance("notes-db")


@pytest.mark.parametrize(
    ("described", "told"),
    [
        ({}, {}),
        ({"DBInstanceStatus": "stopped"}, {"status": "stopped"}),
        ({"StorageEncrypted": False}, {"encrypted": False}),
        ({"ReadReplicaSourceDBInstanceIdentifier": "main"}, {"replica_of": "main"}),
        ({"ReadReplicaSourceDBClusterIdentifier": "cluster"}, {"replica_of": "cluster"}),
        ({"ReadReplicaSourceDBInstanceIdentifier": ""}, {}),
        ({"DBClusterIdentifier": "notes"}, {"cluster": "notes"}),
        ({"ReadReplicaDBInstanceIdentifiers": ["notes-db-reader"]}, {}),
    ],
)
def test_an_instance_is_told_as_it_stands(described: dict[str, Any], told: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"identifier": "notes-db", "status": "available", "encrypted": True}

    assert _instance(**described) == DatabaseInstance(**(usual | told))


def test_an_instance_that_is_not_there_is_none() -> None:
    with stubbed("rds") as (client, stub):
        refuse(stub, "describe_db_instances", "DBInstanceNotFound")

        assert RdsInstances(client).instance("notes-db") is None


def test_an_instance_that_may_not_be_looked_at_is_broken() -> None:
    with pytest.raises(Broken), stubbed("rds") as (client, stub):
        refuse(stub, "describe_db_instances", "AccessDenied")
        RdsInstances(client).instance("notes-db")
