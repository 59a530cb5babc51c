"""Who calls AWS, by AWS's own answer."""

import boto3
import pytest
from botocore.config import Config

from slipway.adapters.identity import StsIdentity
from slipway.domain.errors import Reason, Transient


def test_the_caller_is_named_by_its_arn(aws: None) -> None:
    assert StsIdentity(boto3.client("sts")).arn() == "arn:aws:sts::123456789012:user/moto"


def test_an_sts_that_does_not_answer_is_one_clear_error() -> None:
    unreachable = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )

    with pytest.raises(Transient) as told:
        StsIdentity(unreachable).arn()
    assert told.value.reason is Reason.AWS_UNAVAILABLE
