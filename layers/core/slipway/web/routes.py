"""The one router: GET shows and never writes, POST decides."""

import re
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.lambda_function_url import LambdaFunctionUrlResolver

from slipway.domain.approval import STATUS, VIEW, Approval, is_signed
from slipway.domain.catalog import Application
from slipway.domain.deployment import Deployment
from slipway.domain.errors import ControlPlaneError, Reason, Rejected, Transient
from slipway.domain.lane import Lane
from slipway.requests.decide import decide, ticket
from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.web import forms, pages
from slipway.web.rendering import headers

app = LambdaFunctionUrlResolver()

_LATEST: Final = 10
_ID: Final = r"[a-z][a-z0-9-]{0,79}"
_READ: Final = ["GET", "HEAD"]
_STATUS: Final = {
    Reason.EVENT_MALFORMED: 400,
    Reason.LINK_INVALID: 403,
    Reason.NOT_AN_APPROVER: 403,
    Reason.DEPLOYMENT_UNKNOWN: 404,
    Reason.ALREADY_DECIDED: 409,
    Reason.APPROVAL_EXPIRED: 410,
    Reason.CANCELLED: 410,
    Reason.DEPLOYMENT_ENDED: 410,
    Reason.SUPERSEDED: 410,
}
_HEADINGS: Final = {
    400: "Bad request",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Already decided",
    410: "No longer open",
    500: "Something went wrong",
    503: "Please try again",
}
_UNCHANGED: Final = "Nothing was changed."
_INVALID: Final = "This link is invalid or no longer valid."
# What each path answers to; a test asks for all of them.
_METHODS: Final = (
    (re.compile(r"/|/health|/deployments/[^/]+"), "GET, HEAD"),
    (re.compile(r"/approvals/[^/]+"), "GET, HEAD, POST"),
)


def with_its_method(event: dict[str, Any]) -> dict[str, Any]:
    """The request as the router may see it.

    A method's name is case sensitive (RFC 9110), and the router takes it in any case.
    """
    http = event["requestContext"]["http"]
    if http["method"].isupper():
        return event
    asked = {**event["requestContext"], "http": {**http, "method": "UNKNOWN"}}
    return {**event, "requestContext": asked}


@app.route("/health", method=_READ)
def health() -> Response[str]:
    return _answer(200, '{"status": "ok"}', "application/json")


@app.route("/", method=_READ)
def status() -> Response[str]:
    _check_view(STATUS)
    catalog = wiring.catalog()
    views = [_application(application) for application in catalog.applications.values()]
    return _answer(200, pages.status_page(views, links=wiring.links(), now=wiring.now()))


@app.route("/deployments/<deployment_id>", method=_READ)
def deployment(deployment_id: str) -> Response[str]:
    logger.append_keys(deployment_id=_parse_deployment_id(deployment_id))
    _check_view(deployment_id)
    records = wiring.records()
    found = records.deployment(deployment_id)
    evidence = records.evidence(deployment_id)
    html = pages.deployment_page(
        found,
        evidence,
        restores=wiring.restores(),
        links=wiring.links(),
        now=wiring.now(),
    )
    return _answer(200, html)


@app.route("/approvals/<deployment_id>", method=_READ)
def approval(deployment_id: str) -> Response[str]:
    logger.append_keys(deployment_id=_parse_approval_id(deployment_id))
    records, sig, now = wiring.records(), _sig(), wiring.now()
    asked = ticket(deployment_id, sig, records=records, key=wiring.link_key())
    found = records.deployment(deployment_id)
    lane = records.lane(found.application, found.environment)
    closed = _why_closed(asked, found, lane)
    html = pages.approval_page(
        asked,
        found,
        records.evidence(deployment_id),
        sig=sig,
        closed=closed,
        links=wiring.links(),
        now=now,
        lane=lane,
    )
    return _answer(410 if closed else 200, html)


@app.post("/approvals/<deployment_id>")
def decide_approval(deployment_id: str) -> Response[str]:
    logger.append_keys(deployment_id=_parse_approval_id(deployment_id))
    event = app.current_event
    request = forms.decision(
        deployment_id,
        event.body or "",
        is_base64=bool(event.is_base64_encoded),
        content_type=event.headers.get("content-type", ""),
    )
    made = decide(
        request,
        journal=wiring.journal(),
        announcements=wiring.announcements(),
        key=wiring.link_key(),
    )
    logger.info("approval decided", extra={"answer": request.answer, "by": request.by})
    return _answer(200, pages.decided_page(made, wiring.links()))


@app.not_found
def answer_not_found(error: NotFoundError) -> Response[str]:
    path = app.current_event.path
    for pattern, methods in _METHODS:
        if pattern.fullmatch(path):
            said = "This page does not accept that method."
            return _sentence(405, said, f"Allowed: {methods}.", allow=methods)
    return _sentence(
        404, "This page does not exist.", "Use the link from Slack, or request a new one."
    )


@app.exception_handler(Rejected)  # type: ignore[untyped-decorator]
def answer_rejected(error: Rejected) -> Response[str]:
    logger.info("request refused", extra={"reason": error.reason})
    return _sentence(_STATUS.get(error.reason, 409), error.message, _UNCHANGED)


@app.exception_handler(Transient)  # type: ignore[untyped-decorator]
def answer_transient(error: Transient) -> Response[str]:
    logger.warning("record unavailable", extra={"reason": error.reason, "detail": error.message})
    return _sentence(503, "The record is temporarily unavailable.", "Reload the page in a moment.")


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def answer_broken(error: Exception) -> Response[str]:
    detail = str(error) if isinstance(error, ControlPlaneError) else type(error).__name__
    logger.exception("request failed", extra={"detail": detail})
    return _sentence(
        500, "Slipway could not answer.", "See the log of the web function, or contact an operator."
    )


def _answer(
    status: int, body: str, content_type: str = "text/html; charset=utf-8", allow: str = ""
) -> Response[str]:
    shown = "" if app.current_event.http_method == "HEAD" else body
    all_headers = {**headers(), **({"Allow": allow} if allow else {})}
    return Response(status_code=status, content_type=content_type, body=shown, headers=all_headers)


def _sentence(status: int, sentence: str, hint: str, allow: str = "") -> Response[str]:
    return _answer(status, pages.sentence_page(_HEADINGS[status], sentence, hint), allow=allow)


def _parse_deployment_id(deployment_id: str) -> str:
    if not re.fullmatch(_ID, deployment_id):
        raise Rejected(Reason.DEPLOYMENT_UNKNOWN, "There is no such deployment.")
    return deployment_id


def _parse_approval_id(deployment_id: str) -> str:
    """The id of an approval; one that cannot be is refused as one whose link is not ours."""
    if not re.fullmatch(_ID, deployment_id):
        raise Rejected(Reason.LINK_INVALID, _INVALID)
    return deployment_id


def _sig() -> str:
    """The link's signature, in the one shape that a signature has."""
    offered = app.current_event.query_string_parameters.get("sig", "")
    if not re.fullmatch(r"[0-9a-f]{64}", offered):
        raise Rejected(Reason.LINK_INVALID, _INVALID)
    return offered


def _check_view(subject: str) -> None:
    if not is_signed(wiring.link_key(), VIEW, subject, _sig()):
        raise Rejected(Reason.LINK_INVALID, _INVALID)


def _why_closed(asked: Approval, found: Deployment, lane: Lane) -> str:
    """Why the approval can no longer be decided, unless it has been."""
    if asked.decision is not None:
        return ""
    try:
        found.refuse_to_continue()
        replaced_by = lane.superseded_by(found.deployment_id)
    except Rejected as error:
        return error.message
    if replaced_by is not None:
        return f"{replaced_by} is newer and replaces this deployment."
    return "The approval has expired." if wiring.now() >= asked.expires_at else ""


def _application(application: Application) -> pages.ApplicationView:
    records, name = wiring.records(), application.application
    found = [records.lane(name, environment) for environment in application.in_order()]
    lanes = [pages.LaneView(lane, records.recent(lane, _LATEST)) for lane in found]
    return pages.ApplicationView(name, lanes)
