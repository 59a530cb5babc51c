"""What is promised to whoever wishes for a release: invariants of every run, beside watch.py's."""

from collections import Counter
from datetime import datetime
from typing import Any

from cloud.simulation.faults import CallKind
from cloud.simulation.watch import AT_A_LANE, Found, Watch, invariant
from cloud.simulation.world import catalog
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.lane import Lane
from slipway.domain.news import HEADLINES
from slipway.domain.notice import Notice, NoticeState
from slipway.domain.outcome import Outcome

__all__ = ["Watch"]
# Before anything has changed: what is newer takes the place of a deployment here.
_WAITING = frozenset({Phase.PLANNING, Phase.AWAITING_APPROVAL, Phase.AWAITING_LANE})
_DEATHS = ("Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown")
_MOST_DEATHS = 3


def newest_is_wanted(watch: Watch, before: Lane, after: Lane) -> None:
    """A candidate is an image, and a request takes no place that it was not given."""
    newest = after.newest
    if newest is None or before.newest == newest:
        return
    # What the registry does not let us see, only Plan finds out.
    if newest.digest in watch.run.artifacts and not _looks_refused(watch):
        watch.violated(17, f"{newest.deployment_id} is a candidate and no image")
    if not newest.explicit or before.newest is None:
        return
    waiting = watch.deployment(before.newest.deployment_id)
    taken = waiting is not None and newest.deployment_id != waiting.deployment_id
    if waiting is not None and taken and _waits(waiting) and not _said(watch, newest.digest):
        watch.violated(18, f"{newest.deployment_id} takes the place of {waiting.deployment_id}")


def _looks_refused(watch: Watch) -> bool:
    """Whether the registry has refused a look for good."""
    refused = [site for site, kind in watch.run.plan.calls if kind is CallKind.PERMANENT]
    return any(site.service == "ecr" and site.function in ("admit", "sweep") for site in refused)


def _waits(one: Deployment) -> bool:
    ending = one.outcome or one.progress.ending_since or one.cancel_requested_by
    return one.phase in _WAITING and ending is None


def _said(watch: Watch, digest: str) -> bool:
    asked = [one for one in watch.run.requests if one["digest"] == digest]
    return any(one.get("replace") for one in asked)


AT_A_LANE.append(newest_is_wanted)


@invariant(18, "what supersedes a deployment was let in at the door")
def superseded_by_a_candidate(watch: Watch) -> Found:
    everyone = watch.deployments()
    for one in everyone:
        if one.outcome is not Outcome.SUPERSEDED:
            continue
        others = [each for each in everyone if each.lane_id == one.lane_id and each is not one]
        newer = [each for each in others if each.release.pushed_at >= one.release.pushed_at]
        if not newer and not any(each.explicit for each in others):
            yield f"{one.deployment_id} gave way to nothing"


@invariant(17, "the newest push by the registry's time is the lane's newest candidate")
def newest_by_the_registry(watch: Watch) -> Found:
    plan = watch.run.plan
    if plan.calls or plan.transient_share or watch.run.requests:
        return
    pushed: dict[str, set[str]] = {}
    for repository, tag, digest in watch.run.pushes:
        for application, environment in catalog().fed_by_push(repository, tag):
            pushed.setdefault(f"{application}/{environment}", set()).add(digest)
    times = watch.run.pushed_at
    for lane_id, digests in pushed.items():
        last = max(times[digest] for digest in digests)
        candidate = watch.lane(lane_id).newest
        # Of two pushes at the very same moment either one may be it.
        if candidate is not None and times.get(candidate.digest) != last:
            yield f"{lane_id} wants {candidate.digest[:19]}, another one was pushed last"


@invariant(18, "every request with an id has an answer on record")
def requests_are_answered(watch: Watch) -> Found:
    for event, _, result in _admitted(watch):
        asked = event.get("detail", {})
        named = asked.get("request_id") if isinstance(asked, dict) else None
        if event.get("account") != watch.cloud.twin.world.account or not isinstance(named, str):
            continue
        if watch.cloud.table.item(f"ADMISSION#request:{named}", "ADMISSION") is None:
            yield f"{named} was answered with {result} and has no record"


@invariant(17, "everybody who pushes hears: a deployment that brings it, or why there is none")
def pushes_are_answered(watch: Watch) -> Found:
    heard: set[str] = set()
    for event, at, result in _admitted(watch):
        if event.get("source") != "aws.ecr" or event["id"] in heard:
            continue
        heard.add(event["id"])
        if not result:
            yield f"the event {event['id']} was answered with nothing"
        for answer in result:
            yield from _served_in_vain(watch, datetime.fromisoformat(event["time"]), at, answer)


def _served_in_vain(
    watch: Watch, pushed_at: datetime, at: datetime, answer: dict[str, Any]
) -> Found:
    """A push that a deployment is said to serve which was over before there was the push."""
    deployment = watch.deployment(answer.get("deployment_id", ""))
    if deployment is None:
        if not answer.get("message"):
            yield f"a push was answered with {answer}"
        return
    settled = deployment.settled_at
    if settled is not None and settled < pushed_at and not _live(watch, deployment, at):
        yield f"a push at {pushed_at} is said to be served by {deployment.deployment_id}"


def _live(watch: Watch, deployment: Deployment, at: datetime) -> bool:
    """Whether the deployment was the last that had succeeded on its lane."""
    known = [one for one in watch.deployments() if one.lane_id == deployment.lane_id]
    ended = {one.settled_at: one for one in (*known, deployment) if _succeeded(one, at)}
    latest = max((moment for moment in ended if moment is not None), default=None)
    return latest is not None and ended[latest].release.digest == deployment.release.digest


def _succeeded(one: Deployment, at: datetime) -> bool:
    over = one.settled_at is not None and one.settled_at <= at
    return over and one.outcome in (Outcome.SUCCEEDED, Outcome.UNCHANGED)


def _admitted(watch: Watch) -> list[tuple[dict[str, Any], datetime, list[dict[str, Any]]]]:
    """Every event that Admit has answered: the event, when, and with what."""
    clock = watch.cloud.clock
    began = clock.now().timestamp() - clock.elapsed
    return [
        (line[2].event, datetime.fromtimestamp(began + line[0], clock.now().tzinfo), line[3])
        for line in watch.cloud.trace.lines
        if line[1] == "ended" and line[2].function.name == "admit" and line[4] is None
    ]


@invariant(11, "a state whose function dies three times is not tried again")
def three_deaths_are_the_end(watch: Watch) -> Found:
    for one in watch.cloud.machine.executions.values():
        died = 0
        for _, what, detail in one.history:
            died = 0 if what == "entered" else died
            died += what == "failed" and detail.endswith(_DEATHS)
            if died > _MOST_DEATHS:
                yield f"{one.name} died {died} times: {detail}"
                break


@invariant(14, "a webhook tells every end once, unless nobody knows whether it has")
def webhook_tells_once(watch: Watch) -> Found:
    if not watch.cloud.secrets.webhook:
        return
    told = Counter(message["text"] for message in watch.cloud.slack.messages)
    wanted: Counter[str] = Counter()
    unclear: Counter[str] = Counter()
    for one in watch.deployments():
        if one.outcome not in (None, Outcome.UNCHANGED):
            text = f"{one.application} in {one.environment}: {HEADLINES[one.outcome]}"
            wanted[text] += 1
            unclear[text] += _unclear(watch, one)
    for text, count in wanted.items():
        if not count - unclear[text] <= told[text] <= count:
            yield f"'{text}' was told {told[text]} times"


def _unclear(watch: Watch, one: Deployment) -> bool:
    notice = watch.item(f"DEPLOYMENT#{one.deployment_id}", "NOTICE", Notice)
    return notice is not None and notice.told.get(one.outcome) is NoticeState.SENDING
