"""The approval form, parsed strictly: the one input that the pages take from people."""

import base64
import re
from typing import Final
from urllib.parse import parse_qs

from pydantic import ValidationError

from slipway.domain.errors import Reason, Rejected
from slipway.requests.decide import DecideRequest

# The form's fields at their longest, every character percent-encoded, stay below this.
LIMIT_BYTES: Final = 16_384
_FIELDS: Final = ("answer", "by", "comment", "sig")


def decision(deployment_id: str, body: str, *, is_base64: bool, content_type: str) -> DecideRequest:
    """The decision in a form; Rejected with one sentence when it is not one."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise _form_error("Send the decision with the form on the approval page.")
    if len(body) > LIMIT_BYTES:
        raise _form_error(f"The form is too large (limit {LIMIT_BYTES} bytes).")
    fields = _fields(body, is_base64)
    sig = fields.pop("sig", "")
    if not re.fullmatch(r"[0-9a-f]{64}", sig):
        raise Rejected(Reason.LINK_INVALID, "This link is invalid or no longer valid.")
    try:
        return DecideRequest.model_validate({**fields, "deployment_id": deployment_id, "sig": sig})
    except ValidationError as error:
        wrong = str(error.errors(include_url=False, include_input=False)[0]["loc"][-1])
        raise _form_error(f"The field '{wrong}' {_EXPECTED[wrong]}.") from None


_EXPECTED: Final = {
    "answer": "must be 'approve' or 'reject'",
    "by": "must be the name of an approver",
    "comment": "takes at most 500 characters",
    "deployment_id": "must be a deployment's id",
}


def _fields(body: str, is_base64: bool) -> dict[str, str]:
    try:
        raw = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        parsed = parse_qs(
            raw.decode(), keep_blank_values=True, max_num_fields=len(_FIELDS), errors="strict"
        )
    except ValueError:
        raise _form_error("The form cannot be read.") from None
    if not set(parsed) <= set(_FIELDS) or any(len(values) > 1 for values in parsed.values()):
        raise _form_error("The form has unexpected fields.")
    return {name: values[0] for name, values in parsed.items()}


def _form_error(sentence: str) -> Rejected:
    return Rejected(Reason.EVENT_MALFORMED, sentence)
