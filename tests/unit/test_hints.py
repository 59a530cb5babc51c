"""Which keys an event names. Shapes are those of AWS's own documentation, kept in events/."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.runtime.hints import hints
from slipway.steps import backup, check, deploy, migrate
from tests.builders.samples import sample

ACCOUNT = "000000000000"
ARN = "arn:aws:ecs:us-east-1:000000000000:service/fastapi-rds-staging/api"
DIGEST = "sha256:" + "3f" * 32


def ours(what: str, **detail: Any) -> dict[str, Any]:
    return {"account": ACCOUNT, "source": "slipway", "detail-type": what, "detail": detail}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("backup-snapshot", ("snapshot:slipway-fastapi-rds-staging-1",)),
        ("backup-cluster-snapshot", ("snapshot:slipway-fastapi-rds-staging-1",)),
        ("migrate-stopped", ("task:slipway/migrate/fastapi-rds-staging-1",)),
        ("deploy-completed", (f"service:{ARN}",)),
        ("check-scanned", (f"scan:fastapi-rds@{DIGEST}",)),
        (
            "approve-decided",
            (
                "deployment:fastapi-rds-production-1",
                "lane:fastapi-rds/production",
                "databases",
            ),
        ),
        (
            "enter-settled",
            ("deployment:fastapi-rds-staging-1", "lane:fastapi-rds/staging", "databases"),
        ),
        ("admit", ()),
        ("settle-stopped", ()),
    ],
)
def test_an_event_names_the_keys_that_its_steps_wait_for(name: str, keys: tuple[str]) -> None:
    assert hints(sample(name), ACCOUNT) == keys


@pytest.mark.parametrize(
    ("step", "call", "event"),
    [
        (backup, "backup", "backup-snapshot"),
        (backup, "backup", "backup-cluster-snapshot"),
        (migrate, "migrate", "migrate-stopped"),
        (deploy, "deploy", "deploy-completed"),
        (check, "check", "check-scanned"),
    ],
)
def test_the_sample_event_wakes_the_sample_call(step: Any, call: str, event: str) -> None:
    kind = getattr(step, f"{call.capitalize()}Request")
    request = kind.model_validate(sample(call)["request"])

    assert set(step.keys(request)) & set(hints(sample(event), ACCOUNT))


@pytest.mark.parametrize(
    "what",
    [
        "Deployment Settled",
        "Candidate Admitted",
        "Approval Decided",
        "Cancel Requested",
        "Look Again",
    ],
)
def test_our_own_events_name_deployment_and_lane(what: str) -> None:
    event = ours(what, deployment_id="notes-staging-1", lane="notes/staging")

    assert hints(event, ACCOUNT) == (
        "deployment:notes-staging-1",
        "lane:notes/staging",
        "databases",
    )


@pytest.mark.parametrize(
    "name", ["backup-snapshot", "migrate-stopped", "deploy-completed", "check-scanned"]
)
def test_an_event_of_another_account_names_nothing(name: str) -> None:
    assert hints(sample(name) | {"account": "111111111111"}, ACCOUNT) == ()


def test_an_event_that_pretends_to_be_ours_names_nothing() -> None:
    event = ours("Approval Decided", deployment_id="notes-staging-1") | {"source": "custom"}

    assert hints(event, ACCOUNT) == ()


def test_the_state_machines_own_call_names_nothing() -> None:
    assert hints({"request": {}, "task_token": "t"}, ACCOUNT) == ()


ODD: list[Any] = [None, True, 7, "text", [], [7], [None], {}, {"a": 1}, [[]], 1.5]
FIELDS = ["account", "source", "detail-type", "detail", "resources"]
NAMES = ["backup-snapshot", "migrate-stopped", "deploy-completed", "check-scanned"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_an_event_of_an_odd_shape_wakes_somebody_or_nobody(
    name: str, field: str, value: object
) -> None:
    keys = hints(sample(name) | {field: value}, ACCOUNT)

    assert all(isinstance(key, str) for key in keys)


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=8)))
def test_a_detail_of_any_content_wakes_somebody_or_nobody(detail: dict[str, Any]) -> None:
    for name in NAMES:
        event = sample(name)
        event["detail"] = dict.fromkeys(event["detail"], 7) | detail
        assert all(isinstance(key, str) for key in hints(event, ACCOUNT))
