"""The one place where AWS's errors become Slipway's four."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError

from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.text import plain

# The codes that botocore itself retries, in its standard and its legacy mode; a test compares.
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

# AWS repeats what it was sent, and what it was sent can be long.
_SENTENCE: Final = 1000


@contextmanager
def aws_errors() -> Iterator[None]:
    """Translate whatever a call to AWS raises; also usable as a decorator.

    Throttles, server errors, lost connections and unreadable answers become
    Transient(AwsUnavailable), every other refusal Broken(AwsRefused). Conditions that are expected
    are caught next to the call, inside of this.
    """
    try:
        yield
    except ClientError as error:
        raise _refusal(error) from error
    except (ConnectionError, HTTPClientError, ResponseParserError) as error:
        raise Transient(Reason.AWS_UNAVAILABLE, f"AWS gave no answer: {_words(error)}") from error
    except BotoCoreError as error:
        raise Broken(Reason.AWS_REFUSED, f"AWS could not be called: {_words(error)}") from error


def code_of(error: ClientError) -> str:
    """AWS's error code, such as ``ThrottlingException``."""
    return error.response.get("Error", {}).get("Code", "")


def message_of(error: ClientError) -> str:
    """AWS's own sentence in one bounded line, or the code when it sent none."""
    return plain(error.response.get("Error", {}).get("Message", ""), _SENTENCE) or code_of(error)


def _refusal(error: ClientError) -> ControlPlaneError:
    told = f"{error.operation_name}: {message_of(error)} ({code_of(error)})"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or code_of(error) in RETRYABLE_CODES:
        return Transient(Reason.AWS_UNAVAILABLE, told)
    return Broken(Reason.AWS_REFUSED, told)


def _words(error: Exception) -> str:
    return plain(str(error), _SENTENCE)
