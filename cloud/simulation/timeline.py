"""A run's timeline, readable: virtual time, who, what, and what came of it."""

import json
from collections.abc import Iterator
from typing import Any

from cloud.simulation.run import Run
from cloud.simulation.trace import MUTATING

_READS = ("Describe", "Get", "List", "BatchGet", "Query", "conversations.", "webhook")


def timeline(run: Run, *, reads: bool = False) -> Iterator[str]:
    """One line for each thing that happened; reads are left out unless asked for."""
    start = run.cloud.trace.lines[0][0] if run.cloud.trace.lines else 0.0
    for line in run.cloud.trace.lines:
        told = _told(line, reads)
        if told:
            yield f"{line[0] - start:10.2f}  {told}"


def _told(line: tuple[Any, ...], reads: bool) -> str:
    return str(globals()[f"_{line[1]}"](reads, *line[2:]))


def _invoked(reads: bool, invocation: Any) -> str:
    event = invocation.event
    what = event.get("detail-type") or ("stream" if "Records" in event else _short(event))
    return f"{_who(invocation)} invoked: {what}" if reads or "Records" not in event else ""


def _ended(reads: bool, invocation: Any, result: Any, failed: Any) -> str:
    if failed is not None:
        return f"{_who(invocation)} FAILED {failed.error}: {_short(failed.cause, 300)}"
    quiet = "Records" in invocation.event or result in ([], {})
    return "" if quiet and not reads else f"{_who(invocation)} done: {_short(result)}"


def _called(
    reads: bool, invocation: Any, service: str, operation: str, params: Any, error: Any
) -> str:
    if not reads and error is None and operation.startswith(_READS):
        return ""
    told = _write(params) if service == "dynamodb" else _short(params)
    how = f" -> {error}" if error else ""
    mark = "**" if operation in MUTATING else "  "
    return f"{_who(invocation)} {mark}{service}.{operation} {told}{how}"


def _write(params: Any) -> str:
    parts = []
    for one in params.get("TransactItems", [params]):
        ((kind, content),) = one.items() if len(one) == 1 else (("", one),)
        item = content.get("Item") or content.get("Key") or {} if isinstance(content, dict) else {}
        names = [str(item[n]["S"]) for n in ("pk", "sk", "holder") if n in item]
        document = json.loads(item["document"]["S"]) if "document" in item else {}
        what = f"'{document['what']}'" if "what" in document else ""
        state = (document.get("phase"), document.get("outcome"))
        parts.append(" ".join(filter(None, (kind, *names, *state, what))))
    return "; ".join(parts) or _short(params)


def _fault(reads: bool, where: str, kind: Any) -> str:
    return f"!! FAULT {kind} at {where}"


def _event(reads: bool, event: Any, number: int, kind: Any) -> str:
    fault = f"  !! {kind}" if kind else ""
    return f"event {event['detail-type']}/{number} {_short(event['detail'])}{fault}"


def _execution(reads: bool, name: str, status: str, error: Any, cause: Any) -> str:
    return f"execution {name} {status} {error or ''} {_short(cause or '')}".rstrip()


def _state(reads: bool, name: str, state: str) -> str:
    return f"state {name} -> {state}"


def _said(reads: bool, who: str, what: str) -> str:
    return f"{who}: {what}"


def _who(invocation: Any) -> str:
    return f"{invocation.function.name}#{invocation.number}"


def _short(value: Any, length: int = 160) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= length else text[: length - 1] + "…"
