"""Secrets are read as JSON, kept for a few minutes, and never told."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from mypy_boto3_secretsmanager import SecretsManagerClient

from slipway.adapters.secrets import SecretsManagerSecrets, required_field, signing_key
from slipway.domain.errors import Broken, Reason, Transient

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:slipway/slack-AbCdEf"


@pytest.fixture
def client() -> SecretsManagerClient:
    return boto3.client(
        "secretsmanager",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def stub(client: SecretsManagerClient) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def answer(stub: Stubber, text: str) -> None:
    stub.add_response("get_secret_value", {"SecretString": text}, {"SecretId": ARN})


def test_a_secret_is_kept_for_five_minutes(client: SecretsManagerClient, stub: Stubber) -> None:
    time = [0.0]
    secrets = SecretsManagerSecrets(client, clock=lambda: time[0])
    answer(stub, '{"link_key": "one"}')
    answer(stub, '{"link_key": "two"}')

    first = secrets.json(ARN)
    time[0] = 299.9
    kept = secrets.json(ARN)
    time[0] = 300.0
    rotated = secrets.json(ARN)

    assert (first, kept, rotated) == ({"link_key": "one"}, {"link_key": "one"}, {"link_key": "two"})


@pytest.mark.parametrize("text", ["hunter2", '["hunter2"]', '{"link_key": 2}', "null", "{hunter2"])
def test_a_secret_of_another_shape_is_named_and_not_told(
    client: SecretsManagerClient, stub: Stubber, text: str
) -> None:
    answer(stub, text)

    with pytest.raises(Broken) as refused:
        SecretsManagerSecrets(client).json(ARN)

    assert refused.value.message == f"The secret {ARN} is not a JSON object of strings."
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [("ResourceNotFoundException", 400, Broken), ("InternalServiceError", 500, Transient)],
)
def test_what_aws_refuses_is_translated(
    client: SecretsManagerClient, stub: Stubber, code: str, status: int, kind: type[Exception]
) -> None:
    stub.add_client_error("get_secret_value", code, http_status_code=status)

    with pytest.raises(kind):
        SecretsManagerSecrets(client).json(ARN)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(Broken) as refused:
        required_field({"link_key": ""}, "link_key", "link")

    assert refused.value.message == "The link secret has no 'link_key'."


@pytest.mark.parametrize("key", ["a", "k" * 31])
def test_a_key_that_could_be_guessed_is_refused_without_telling_it(key: str) -> None:
    with pytest.raises(Broken) as refused:
        signing_key({"link_key": key})

    assert refused.value.reason is Reason.SETTING_MISSING
    assert refused.value.message == (
        "The 'link_key' of the link secret is shorter than 32 characters."
    )


def test_a_long_key_signs() -> None:
    assert signing_key({"link_key": "k" * 32}) == "k" * 32
