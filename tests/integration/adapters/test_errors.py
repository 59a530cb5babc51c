"""AWS's errors become Slipway's, by what they mean for the next try."""

from typing import Any, cast

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from slipway.adapters.errors import RETRYABLE_CODES, aws_errors
from slipway.domain.errors import Broken, Reason, Rejected, Transient


def _refusal(code: str, status: int) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "AWS's own words"},
            "ResponseMetadata": cast(Any, {"HTTPStatusCode": status}),
        },
        "UpdateService",
    )


def test_every_code_that_botocore_retries_is_known() -> None:
    throttles = vars(ThrottledRetryableChecker)["_THROTTLED_ERROR_CODES"]
    transient = vars(TransientRetryableChecker)["_TRANSIENT_ERROR_CODES"]

    assert {*throttles, *transient} - RETRYABLE_CODES == set()


@pytest.mark.parametrize("code", sorted(RETRYABLE_CODES))
def test_a_throttle_is_transient(code: str) -> None:
    with pytest.raises(Transient) as raised, aws_errors():
        raise _refusal(code, 400)

    assert raised.value.reason is Reason.AWS_UNAVAILABLE


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_transient(status: int) -> None:
    with pytest.raises(Transient) as raised, aws_errors():
        raise _refusal("ServerException", status)

    assert raised.value.reason is Reason.AWS_UNAVAILABLE


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://ecs"),
        ConnectTimeoutError(endpoint_url="https://ecs"),
        ReadTimeoutError(endpoint_url="https://ecs"),
        ResponseParserError("not XML"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_is_transient(error: Exception) -> None:
    with pytest.raises(Transient) as raised, aws_errors():
        raise error

    assert raised.value.reason is Reason.AWS_UNAVAILABLE


def test_a_refusal_is_broken_and_says_what_was_refused_in_awss_words() -> None:
    with pytest.raises(Broken) as raised, aws_errors():
        raise _refusal("AccessDeniedException", 400)

    assert (raised.value.reason, raised.value.message) == (
        Reason.AWS_REFUSED,
        "UpdateService: AWS's own words (AccessDeniedException)",
    )


def test_a_call_that_cannot_be_made_is_broken() -> None:
    with pytest.raises(Broken) as raised, aws_errors():
        raise NoCredentialsError

    assert raised.value.reason is Reason.AWS_REFUSED


def test_slipways_own_errors_pass() -> None:
    refusal = Rejected(Reason.HELD, "on hold")

    with pytest.raises(Rejected) as raised, aws_errors():
        raise refusal

    assert raised.value is refusal


def test_other_mistakes_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), aws_errors():
        raise ZeroDivisionError
