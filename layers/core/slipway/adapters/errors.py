"""Translates every error of AWS into one of Slipway's four; nothing else does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError

from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.text import plain

# The codes that botocore itself retries, in its standard and its legacy mode; a test compares them.
RETRYABLE_CODES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)

# AWS quotes the request in its message, and that can be long.
_MESSAGE: Final = 1000


@contextmanager
def aws_errors() -> Iterator[None]:
    """Translate whatever a call to AWS raises; also usable as a decorator.

    Throttling, server errors, lost connections and unreadable responses become
    Transient(AwsUnavailable), every other error Broken(AwsRefused). Expected errors are caught
    next to the call, inside this context.
    """
    try:
        yield
    except ClientError as error:
        raise _error_of(error) from error
    except (ConnectionError, HTTPClientError, ResponseParserError) as error:
        raise Transient(
            Reason.AWS_UNAVAILABLE, f"AWS did not answer: {_one_line(error)}"
        ) from error
    except BotoCoreError as error:
        raise Broken(Reason.AWS_REFUSED, f"AWS could not be called: {_one_line(error)}") from error


def code_of(error: ClientError) -> str:
    """AWS's error code, such as ``ThrottlingException``."""
    return error.response.get("Error", {}).get("Code", "")


def message_of(error: ClientError) -> str:
    """AWS's message as one line of at most 1,000 characters; the code when there is none."""
    return plain(error.response.get("Error", {}).get("Message", ""), _MESSAGE) or code_of(error)


def _error_of(error: ClientError) -> ControlPlaneError:
    message = f"{error.operation_name}: {message_of(error)} ({code_of(error)})"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or code_of(error) in RETRYABLE_CODES:
        return Transient(Reason.AWS_UNAVAILABLE, message)
    return Broken(Reason.AWS_REFUSED, message)


def _one_line(error: Exception) -> str:
    return plain(str(error), _MESSAGE)
