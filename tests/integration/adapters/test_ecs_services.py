"""ECS services as they run, and what became of a revision there."""

from typing import Any

import pytest

from slipway.adapters.ecs.endings import STATES
from slipway.adapters.ecs.services import EcsServices
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.plan import LiveService
from slipway.domain.preflight import Revision, RevisionState
from slipway.domain.verdict import Rollout, RolloutState
from tests.builders.documents import TARGET
from tests.integration.adapters.ecs_answers import (
    DIGEST,
    GROUP,
    IMAGE,
    NEW,
    OLD,
    SERVICE,
    a_definition,
    a_service,
    a_service_deployment,
    a_service_revision,
    service_revision_arn,
    services,
)
from tests.integration.adapters.stubbed import refuse, stubbed

ASKED = {"cluster": "production", "services": ["notes"]}
LISTED = {"cluster": "production", "service": "notes", "maxResults": 15}


def _live(service: dict[str, Any], definition: dict[str, Any] | None = None) -> LiveService:
    with stubbed("ecs") as (client, stub):
        stub.add_response("describe_services", services(service), ASKED)
        if definition is not None:
            stub.add_response("describe_task_definition", definition, {"taskDefinition": OLD})
        return EcsServices(client).live(TARGET)


def test_a_live_service_is_described_by_its_primary_deployment_and_its_container() -> None:
    definition = a_definition(runtimePlatform={"cpuArchitecture": "ARM64"})

    assert _live(a_service(), definition) == LiveService(
        service_arn=SERVICE,
        revision_arn=OLD,
        image_uri=f"{IMAGE}@sha256:old",
        architecture="ARM64",
        desired_count=2,
        target_group_arn=GROUP,
        target_group_arns=(GROUP,),
        base_url=None,
    )


def test_a_task_definition_without_a_platform_runs_linux_on_x86() -> None:
    live = _live(a_service(), a_definition())

    assert (live.architecture, live.operating_system) == ("X86_64", "LINUX")


def test_what_the_service_and_its_tasks_are_is_told() -> None:
    windows = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}
    service = a_service(
        schedulingStrategy="DAEMON",
        availabilityZoneRebalancing="ENABLED",
        deploymentConfiguration={"strategy": "BLUE_GREEN"},
    )

    live = _live(service, a_definition(runtimePlatform=windows))

    assert (live.operating_system, live.scheduling) == ("WINDOWS_SERVER_2022_CORE", "daemon")
    assert (live.strategy, live.zone_rebalancing) == ("blue_green", True)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("ACTIVE", RevisionState.REGISTERED),
        ("INACTIVE", RevisionState.DEREGISTERED),
        ("DELETE_IN_PROGRESS", RevisionState.DELETED),
    ],
)
def test_a_revision_is_described_also_after_it_was_deregistered(
    status: str, state: RevisionState
) -> None:
    with stubbed("ecs") as (client, stub):
        answer = a_definition(status=status)
        stub.add_response("describe_task_definition", answer, {"taskDefinition": OLD})

        assert EcsServices(client).revision(OLD) == Revision(arn=OLD, state=state)


def test_a_deleted_revision_is_not_described_any_more() -> None:
    with stubbed("ecs") as (client, stub):
        refuse(stub, "describe_task_definition", "ClientException", "Unable to describe it.")

        assert EcsServices(client).revision(OLD) == Revision(arn=OLD, state=RevisionState.DELETED)


def test_a_revision_that_may_not_be_looked_at_is_not_called_missing() -> None:
    with pytest.raises(Broken), stubbed("ecs") as (client, stub):
        refuse(stub, "describe_task_definition", "AccessDeniedException")
        EcsServices(client).revision(OLD)


def test_a_service_without_a_load_balancer_has_no_target_group() -> None:
    assert _live(a_service(loadBalancers=[]), a_definition()).target_group_arn is None


def test_every_target_group_is_known_and_that_of_the_container_comes_first() -> None:
    balancers = [
        {"targetGroupArn": "arn:of-the-proxy", "containerName": "proxy", "containerPort": 9000},
        {"targetGroupArn": GROUP, "containerName": "app", "containerPort": 8000},
        {"targetGroupArn": "arn:inside", "containerName": "app", "containerPort": 8000},
    ]

    live = _live(a_service(loadBalancers=balancers), a_definition())

    assert live.target_group_arn == GROUP
    assert live.target_groups == (GROUP, "arn:inside", "arn:of-the-proxy")


def test_a_document_of_an_older_slipway_has_its_one_target_group() -> None:
    live = _live(a_service(), a_definition()).model_dump()
    del live["target_group_arns"]

    assert LiveService.model_validate(live).target_groups == (GROUP,)


def test_a_missing_service_is_broken_with_its_name() -> None:
    missing = {"services": [], "failures": [{"arn": SERVICE, "reason": "MISSING"}]}
    with pytest.raises(Broken) as raised, stubbed("ecs") as (client, stub):
        stub.add_response("describe_services", missing, ASKED)
        EcsServices(client).live(TARGET)

    assert (raised.value.reason, raised.value.message) == (
        Reason.SERVICE_UNAVAILABLE,
        "The service 'notes' in the cluster 'production' does not exist (MISSING).",
    )


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (a_service(status="INACTIVE"), "is INACTIVE, not ACTIVE"),
        (a_service(deployments=[]), "has no PRIMARY deployment"),
        (
            a_service(deploymentController={"type": "CODE_DEPLOY"}),
            "uses the deployment controller CODE_DEPLOY",
        ),
    ],
)
def test_a_service_that_cannot_be_deployed_to_is_broken(service: dict[str, Any], told: str) -> None:
    with pytest.raises(Broken, match=told) as raised:
        _live(service)

    assert raised.value.reason is Reason.SERVICE_UNAVAILABLE


def test_a_container_that_the_task_definition_does_not_have_is_broken() -> None:
    definition = a_definition(containerDefinitions=[{"name": "web", "image": "x"}])

    with pytest.raises(Broken, match=r"no container 'app' \(it has: web\)"):
        _live(a_service(), definition)


def test_a_throttled_look_is_transient() -> None:
    with pytest.raises(Transient), stubbed("ecs") as (client, stub):
        refuse(stub, "describe_services", "ThrottlingException")
        EcsServices(client).live(TARGET)


def _rollout(
    service: dict[str, Any],
    revision_arn: str,
    deployments: list[dict[str, Any]],
    revisions: list[dict[str, Any]],
) -> Rollout:
    with stubbed("ecs") as (client, stub):
        stub.add_response("describe_services", services(service), ASKED)
        listed = {"serviceDeployments": deployments}
        stub.add_response("list_service_deployments", listed, LISTED)
        if revisions:
            described = {"serviceRevisions": revisions, "failures": []}
            stub.add_response("describe_service_revisions", described)
        return EcsServices(client).rollout(TARGET, revision_arn)


def test_a_rollout_in_progress_is_one_call() -> None:
    with stubbed("ecs") as (client, stub):
        stub.add_response("describe_services", services(a_service(NEW, "IN_PROGRESS")), ASKED)
        rollout = EcsServices(client).rollout(TARGET, NEW)

    assert rollout == Rollout(
        primary_deployment_id="ecs-svc/2",
        primary_revision_arn=NEW,
        state=RolloutState.UNDERWAY,
        told="IN_PROGRESS",
        digests=(),
        desired_count=2,
        running_count=2,
        events=("event 0", "event 1", "event 2", "event 3", "event 4"),
    )


def test_a_finished_rollout_tells_its_status_and_what_its_images_resolved_to() -> None:
    rollout = _rollout(
        a_service(NEW),
        NEW,
        [a_service_deployment(1, "SUCCESSFUL"), a_service_deployment(2, "SUCCESSFUL")],
        [a_service_revision(1, OLD, "sha256:old"), a_service_revision(2, NEW)],
    )

    assert (rollout.state, rollout.told, rollout.digests) == (
        RolloutState.COMPLETED,
        "SUCCESSFUL: because of SUCCESSFUL",
        (DIGEST,),
    )


def test_a_stable_service_that_ecs_rolled_back_tells_that_the_new_revision_failed() -> None:
    rollout = _rollout(
        a_service(OLD),
        NEW,
        [a_service_deployment(2, "ROLLBACK_SUCCESSFUL"), a_service_deployment(1, "SUCCESSFUL")],
        [a_service_revision(1, OLD), a_service_revision(2, NEW)],
    )

    assert (rollout.primary_revision_arn, rollout.state) == (OLD, RolloutState.GIVEN_UP)
    assert (rollout.told, rollout.reason) == (
        "ROLLBACK_SUCCESSFUL: because of ROLLBACK_SUCCESSFUL",
        Reason.ROLLOUT_STOPPED,
    )


def test_while_ecs_rolls_back_the_new_revision_is_not_in_progress() -> None:
    rollout = _rollout(
        a_service(OLD, "IN_PROGRESS"),
        NEW,
        [a_service_deployment(2, "ROLLBACK_IN_PROGRESS")],
        [a_service_revision(2, NEW)],
    )

    assert rollout.state is RolloutState.GIVEN_UP


def test_the_newest_deployment_of_a_revision_counts_whatever_the_order_of_the_answer() -> None:
    rollout = _rollout(
        a_service(NEW),
        NEW,
        [a_service_deployment(2, "STOPPED"), a_service_deployment(3, "SUCCESSFUL")],
        [a_service_revision(3, NEW), a_service_revision(2, NEW)],
    )

    assert rollout.state is RolloutState.COMPLETED


def test_a_revision_that_was_never_deployed_has_no_status() -> None:
    rollout = _rollout(
        a_service(OLD), NEW, [a_service_deployment(1, "SUCCESSFUL")], [a_service_revision(1, OLD)]
    )

    assert (rollout.state, rollout.digests) == (RolloutState.ABSENT, ())


def test_a_service_without_any_known_deployment_has_no_status() -> None:
    assert _rollout(a_service(OLD), NEW, [], []).state is RolloutState.ABSENT


def test_an_old_revision_that_ecs_went_back_to_is_live_though_its_deployment_is_forgotten() -> None:
    current = [{"arn": service_revision_arn(1), "runningTaskCount": 2}]

    rollout = _rollout(
        a_service(OLD, currentServiceRevisions=current),
        OLD,
        [a_service_deployment(2, "ROLLBACK_SUCCESSFUL")],
        [a_service_revision(1, OLD), a_service_revision(2, NEW)],
    )

    assert (rollout.state, rollout.digests) == (RolloutState.COMPLETED, (DIGEST,))


BREAKER = "Service deployment rolled back because the circuit breaker threshold was exceeded."


@pytest.mark.parametrize(
    ("status", "why", "state", "reason"),
    [
        ("PENDING", "", RolloutState.UNDERWAY, None),
        ("IN_PROGRESS", "", RolloutState.UNDERWAY, None),
        ("A_WORD_OF_TOMORROW", "", RolloutState.UNDERWAY, None),
        ("SUCCESSFUL", "", RolloutState.COMPLETED, None),
        ("STOPPED", "by ada", RolloutState.GIVEN_UP, Reason.ROLLOUT_STOPPED),
        ("STOP_REQUESTED", "", RolloutState.GIVEN_UP, Reason.ROLLOUT_STOPPED),
        ("ROLLBACK_REQUESTED", "alarm", RolloutState.GIVEN_UP, Reason.ROLLOUT_STOPPED),
        ("ROLLBACK_IN_PROGRESS", BREAKER, RolloutState.GIVEN_UP, Reason.CIRCUIT_BREAKER_TRIPPED),
        ("ROLLBACK_SUCCESSFUL", BREAKER, RolloutState.GIVEN_UP, Reason.CIRCUIT_BREAKER_TRIPPED),
        ("ROLLBACK_FAILED", BREAKER, RolloutState.GIVEN_UP, Reason.CIRCUIT_BREAKER_TRIPPED),
    ],
)
def test_every_word_of_ecs_for_a_service_deployment_has_its_meaning(
    status: str, why: str, state: RolloutState, reason: Reason | None
) -> None:
    rollout = _rollout(
        a_service(NEW),
        NEW,
        [a_service_deployment(2, status, statusReason=why)],
        [a_service_revision(2, NEW)],
    )

    told = f"{status}: {why}" if why else status
    assert (rollout.state, rollout.reason, rollout.told) == (state, reason, told)


def test_no_word_of_ecss_service_model_is_forgotten() -> None:
    with stubbed("ecs") as (client, _):
        words = client.meta.service_model.shape_for("ServiceDeploymentStatus").enum

    assert set(words) == set(STATES)
