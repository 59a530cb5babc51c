"""Slack over HTTP: incoming webhooks, the Web API, and the page that shows the channels."""

import json
import re
import threading
from collections.abc import Callable
from typing import Any

from werkzeug import Request, Response

from cloud.twin.slack.page import render
from cloud.twin.slack.workspace import SlackError, SlackModel, SlackPolicy

WEBHOOK = re.compile(r"/slack/services/T\w+/B\w+/\w+")
# Members that a form sends as JSON text.
JSON_MEMBERS = ("blocks", "attachments", "metadata")


class SlackSite:
    """Answers everything below `/slack/`."""

    def __init__(self, slack: SlackModel, lock: threading.RLock) -> None:
        self._slack = slack
        self._lock = lock
        self._methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "auth.test": slack.auth_test,
            "chat.postMessage": slack.chat_post_message,
            "chat.update": slack.chat_update,
            "conversations.history": slack.conversations_history,
            "conversations.replies": slack.conversations_replies,
        }

    def handle(self, request: Request) -> Response:
        request.get_data(parse_form_data=True)
        with self._lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/slack/api/") and request.method in ("GET", "POST"):
            return self._guarded(request, self._api)
        if WEBHOOK.fullmatch(request.path) and request.method == "POST":
            return self._guarded(request, self._webhook)
        match (request.method, request.path):
            case ("GET", "/slack/"):
                return self._page(request)
            case ("GET", "/slack/messages"):
                return _json(self._slack.rows())
            case ("POST", "/slack/_policy"):
                return self._set_policy(request)
        return Response("no_service", 404, content_type="text/plain")

    def _guarded(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        """Let the policy speak first: an outage, a rate limit, or an error set beforehand."""
        policy = self._slack.take_policy()
        if policy.outage:
            return Response("Service Unavailable", 503, content_type="text/plain")
        if policy.rate_limited_seconds:
            response = _json({"ok": False, "error": "ratelimited"}, 429)
            response.headers["Retry-After"] = str(policy.rate_limited_seconds)
            return response
        if policy.error:
            return _refused(request, SlackError(policy.error))
        try:
            return answer(request)
        except SlackError as error:
            return _refused(request, error)

    def _api(self, request: Request) -> Response:
        method = self._methods.get(request.path.removeprefix("/slack/api/"))
        if method is None:
            raise SlackError("unknown_method")
        params = _params(request)
        self._check_token(request, params)
        return _json({"ok": True, **method(params)})

    def _check_token(self, request: Request, params: dict[str, Any]) -> None:
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") or params.get("token", "")
        if not token:
            raise SlackError("not_authed")
        if token != self._slack.token:
            raise SlackError("invalid_auth")

    def _webhook(self, request: Request) -> Response:
        self._slack.post_webhook(_webhook_payload(request))
        return Response("ok", content_type="text/html")

    def _set_policy(self, request: Request) -> Response:
        """`{outage, rate_limited_seconds, error, times}`; an empty object ends the trouble."""
        try:
            self._slack.policy = SlackPolicy(**json.loads(request.get_data()))
        except (ValueError, TypeError) as error:
            return _json({"message": f"unreadable policy: {error}"}, 400)
        return _json(vars(self._slack.policy))

    def _page(self, request: Request) -> Response:
        page = render(self._slack, request.args.get("channel"), request.args.get("thread"))
        return Response(page, content_type="text/html; charset=utf-8")


def _params(request: Request) -> dict[str, Any]:
    """A method's arguments, from JSON, a form or the query, as Slack takes all three."""
    if request.mimetype == "application/json":
        return _object(request.get_data(), "invalid_json")
    params: dict[str, Any] = dict(request.values)
    for name in JSON_MEMBERS:
        if name in params:
            try:
                params[name] = json.loads(params[name])
            except ValueError:
                raise SlackError(f"invalid_{name}_format") from None
    return params


def _webhook_payload(request: Request) -> dict[str, Any]:
    text = request.form["payload"] if "payload" in request.form else request.get_data()
    return _object(text, "invalid_payload")


def _object(text: str | bytes, error: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise SlackError(error) from None
    if not isinstance(found, dict):
        raise SlackError(error)
    return found


def _refused(request: Request, error: SlackError) -> Response:
    """The Web API refuses with status 200 and a JSON body, a webhook with 400 and a word."""
    if not request.path.startswith("/slack/api/"):
        return Response(error.code, 400, content_type="text/html")
    body: dict[str, Any] = {"ok": False, "error": error.code}
    if error.messages:
        body["errors"] = error.messages
        body["response_metadata"] = {"messages": [f"[ERROR] {each}" for each in error.messages]}
    return _json(body)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json; charset=utf-8")
