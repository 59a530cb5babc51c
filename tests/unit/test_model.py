"""What every exchanged value has in common."""

import pytest
from pydantic import ValidationError

from slipway.runtime.waiting import Call


def test_a_message_about_a_malformed_call_shows_no_task_token() -> None:
    # A token is the right to answer for a step, and the message is logged.
    with pytest.raises(ValidationError) as caught:
        Call.model_validate({"task_token": "AQCANARY"})

    assert "CANARY" not in str(caught.value)
    assert "request" in str(caught.value)
