"""The conditions to pass before anything changes; a gate that cannot decide does not pass."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from slipway.domain.catalog import ScanGate, Severity
from slipway.domain.errors import Reason
from slipway.domain.lane import Stable
from slipway.domain.model import Model
from slipway.domain.release import Image
from slipway.domain.text import cut
from slipway.domain.verdict import Finding, Verdict, silence

# However many checks fail, the message about them is bounded.
_TOLD: Final = 2000
_ORDER: Final = (
    Severity.INFORMATIONAL,
    Severity.LOW,
    Severity.MEDIUM,
    Severity.HIGH,
    Severity.CRITICAL,
)


class GateState(StrEnum):
    """What a gate found."""

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting"


class GateVerdict(Model):
    """A gate's answer, with the evidence it rests on."""

    gate: str
    state: GateState
    reason: Reason
    message: str


class Scan(Model):
    """A vulnerability scan as the registry reports it; absent severities have no finding."""

    status: str
    findings: dict[str, int]


def _pass(gate: str, message: str) -> GateVerdict:
    return GateVerdict(
        gate=gate, state=GateState.PASSED, reason=Reason.GATES_PASSED, message=message
    )


def _fail(gate: str, reason: Reason, message: str) -> GateVerdict:
    return GateVerdict(gate=gate, state=GateState.FAILED, reason=reason, message=message)


def digest_gate(image: Image | None, asked_for: str, tag: str, *, explicit: bool) -> GateVerdict:
    """The tag still names the requested digest (a later push moved it otherwise)."""
    if explicit:
        return _pass("digest", f"{asked_for[:19]} was requested by digest")
    if image is None:
        return _fail("digest", Reason.IMAGE_MISSING, f"The tag {tag} no longer exists.")
    if image.digest != asked_for:
        return _fail(
            "digest",
            Reason.DIGEST_MOVED,
            f"{tag} now names {image.digest[:19]}, not {asked_for[:19]}: a later push moved it.",
        )
    return _pass("digest", f"{tag} names {asked_for[:19]}")


def image_gate(image: Image | None) -> GateVerdict:
    """The image can be pulled: ECR keeps archived images but no longer serves them."""
    if image is None:
        return _fail("image", Reason.IMAGE_MISSING, "The image is no longer in the registry.")
    if image.status != "ACTIVE":
        return _fail(
            "image",
            Reason.IMAGE_UNAVAILABLE,
            f"{image.digest[:19]} is {image.status} in the registry; restore it or push it again.",
        )
    return _pass("image", f"{image.digest[:19]} is ACTIVE")


def platform_gate(image: Image, architecture: str, system: str = "LINUX") -> GateVerdict:
    """The image runs on the service's platform, by ECS's names: X86_64 or ARM64, and LINUX or
    WINDOWS_SERVER_2022_CORE and the like.
    """
    if image.architecture == architecture and system.startswith(image.operating_system):
        return _pass("platform", f"built for {architecture}")
    built_for = _platform(image.operating_system, image.architecture or "an unnamed CPU")
    return _fail(
        "platform",
        Reason.PLATFORM_MISMATCH,
        f"The image is built for {built_for}, the service runs {_platform(system, architecture)}. "
        "Build it for that platform, without a CPU variant, or change runtimePlatform in the "
        "service's task definition.",
    )


def _platform(system: str, architecture: str) -> str:
    return architecture if system == "LINUX" else f"{system} {architecture}"


# IN_PROGRESS and PENDING end by themselves; a scan that does not exist yet may still start.
_SCAN_UNFINISHED: Final = frozenset({"IN_PROGRESS", "PENDING", "ABSENT"})
# ACTIVE is the enhanced scan's way of saying that findings are kept up to date.
_SCAN_FINISHED: Final = frozenset({"COMPLETE", "ACTIVE"})


def scan_gate(scan: Scan, policy: ScanGate, since: datetime, now: datetime) -> GateVerdict:
    """The scan of this digest is finished and found nothing at or above the threshold."""
    if scan.status in _SCAN_FINISHED:
        return _findings_gate(scan, policy)
    if scan.status not in _SCAN_UNFINISHED:
        return _fail("scan", Reason.SCAN_FAILED, f"The scan ended as {scan.status}.")
    if now - since >= timedelta(minutes=policy.wait_minutes):
        return _fail(
            "scan",
            Reason.SCAN_FAILED,
            f"No finished scan after {policy.wait_minutes} minutes (status {scan.status}); "
            "scan the image and request the deployment again.",
        )
    return GateVerdict(
        gate="scan",
        state=GateState.WAITING,
        reason=Reason.WAITING,
        message=f"waiting for the scan (status {scan.status})",
    )


def _findings_gate(scan: Scan, policy: ScanGate) -> GateVerdict:
    blocking = _ORDER[_ORDER.index(policy.block_from) :]
    # A severity that AWS has not ranked cannot be judged, so it counts as blocking.
    found = {name: n for name, n in scan.findings.items() if n and _is_blocking(name, blocking)}
    if found:
        summary = ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
        return _fail("scan", Reason.SCAN_FINDINGS, f"The scan found {summary}.")
    return _pass("scan", f"nothing at or above {policy.block_from}")


def _is_blocking(severity: str, blocking: tuple[Severity, ...]) -> bool:
    ranked = {str(known) for known in _ORDER}
    return severity not in ranked or severity in {str(known) for known in blocking}


def earlier_gate(after: str | None, succeeded: bool, digest: str, *, explicit: bool) -> GateVerdict:
    """The digest has succeeded in the environment before this one."""
    if after is None:
        return _pass("earlier environment", "none comes before this one")
    if succeeded:
        return _pass("earlier environment", f"{digest[:19]} succeeded in {after}")
    if explicit:
        return _pass("earlier environment", f"not seen in {after}; allowed by an explicit request")
    return _fail(
        "earlier environment",
        Reason.EARLIER_ENVIRONMENT_MISSING,
        f"{digest[:19]} has not succeeded in {after}; deploy it there first.",
    )


def alarm_gate(
    names: tuple[str, ...], firing: tuple[str, ...], without_data: tuple[str, ...] = ()
) -> GateVerdict:
    """No alarm fires: ECS ignores, for the whole deployment, one that fires at its start."""
    if firing:
        return _fail("alarms", Reason.ALARM_FIRING, f"In alarm: {', '.join(firing)}.")
    quiet = silence(f"{len(set(names))} quiet", without_data)
    return _pass("alarms", quiet if names else "none configured")


def rollback_gate(
    stable: Stable | None,
    image: Image | None,
    planned: str | None = None,
    *,
    explicit: bool = False,
    ask_anew: str = "",
) -> GateVerdict:
    """There is something to roll back to, unless nothing has ever succeeded on the lane.

    ``planned`` is why the plan holds that there is no way back, ``ask_anew`` the command that asks
    for the release explicitly: such a request goes on without a way back where its plan, and so
    its approval, says so.
    """
    if stable is None:
        return _pass(
            "rollback target", "first deployment of the lane: if it fails, an operator is paged"
        )
    if planned is not None and explicit:
        summary = f"rollback is not possible: {planned}; allowed by an explicit request"
        return _pass("rollback target", summary)
    if planned is None and image is not None and image.status == "ACTIVE":
        return _pass("rollback target", f"{stable.deployment_id} ({stable.digest[:19]})")
    archived = image is not None and image.status != "ACTIVE"
    gone = f"the last good image {stable.digest[:19]} can no longer be pulled"
    restore = "Restore it in the registry, or d" if archived else "D"
    return _fail(
        "rollback target",
        Reason.NOTHING_TO_ROLL_BACK_TO,
        f"Rollback is not possible: {planned or gone}. {restore}eploy anyway: {ask_anew}",
    )


def checks_gate(
    findings: tuple[Finding, ...] | None, way_on: str, *, explicit: bool
) -> GateVerdict:
    """The checks, without a version, pass on the live release.

    Checks that never worked would roll every good release back. ``findings`` is None where nothing
    has ever been verified; ``way_on`` is the command that asks for the release explicitly: a
    broken site is repaired that way.
    """
    if findings is None:
        return _pass("checks", "nothing was verified here before, so the checks were skipped")
    wanting = [one.message for one in findings if one.verdict is not Verdict.SUCCESSFUL]
    if not wanting:
        summary = f"{len(findings)} passed on the live release"
        return _pass("checks", summary if findings else "none configured")
    summary = cut(" ".join(wanting), _TOLD)
    if explicit:
        return _pass("checks", f"already failing, allowed by an explicit request: {summary}")
    return _fail(
        "checks",
        Reason.CHECKS_FAIL_ALREADY,
        "These checks already fail on the live release, before anything was changed: "
        f"{summary} Correct verification in the catalog or, if the site is broken, request the "
        f"release explicitly: {way_on}",
    )


def first_failure(verdicts: tuple[GateVerdict, ...]) -> GateVerdict | None:
    """The verdict that stops the deployment, if any."""
    return next((verdict for verdict in verdicts if verdict.state is GateState.FAILED), None)
