"""The gates say why in a sentence, and what they cannot judge does not pass.

Scan statuses and severities are those of ECR's DescribeImageScanFindings.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.catalog import ScanGate, Severity
from slipway.domain.commands import deploy_command
from slipway.domain.errors import Reason
from slipway.domain.gates import (
    GateState,
    GateVerdict,
    Scan,
    alarm_gate,
    digest_gate,
    earlier_gate,
    first_failure,
    image_gate,
    platform_gate,
    rollback_gate,
    scan_gate,
)
from slipway.domain.release import Image
from tests.builders.documents import NEW, OLD, OTHER, START, image, stable

RANKED = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")


def passed(gate: str, message: str) -> GateVerdict:
    return GateVerdict(
        gate=gate, state=GateState.PASSED, reason=Reason.GATES_PASSED, message=message
    )


def failed(gate: str, reason: Reason, message: str) -> GateVerdict:
    return GateVerdict(gate=gate, state=GateState.FAILED, reason=reason, message=message)


def scanned(status: str, *, minutes: int = 0, **findings: int) -> GateVerdict:
    scan = Scan(status=status, findings=findings)
    return scan_gate(scan, ScanGate(), START, START + timedelta(minutes=minutes))


def test_a_tag_that_names_the_digest_passes() -> None:
    verdict = digest_gate(image(), NEW, "v2", explicit=False)

    assert verdict == passed("digest", "v2 names sha256:b2b2b2b2b2b2")


def test_a_tag_that_a_later_push_moved_fails() -> None:
    verdict = digest_gate(image(OTHER), NEW, "v2", explicit=False)

    assert verdict == failed(
        "digest",
        Reason.DIGEST_MOVED,
        "v2 now names sha256:c3c3c3c3c3c3, not sha256:b2b2b2b2b2b2: a later push moved it.",
    )


def test_a_tag_that_is_gone_fails() -> None:
    verdict = digest_gate(None, NEW, "v2", explicit=False)

    assert verdict == failed("digest", Reason.IMAGE_MISSING, "The tag v2 no longer exists.")


def test_an_explicit_request_names_the_digest_itself() -> None:
    verdict = digest_gate(None, NEW, "v2", explicit=True)

    assert verdict == passed("digest", "sha256:b2b2b2b2b2b2 was requested by digest")


@pytest.mark.parametrize("status", ["ARCHIVED", "ACTIVATING", ""])
def test_an_image_that_cannot_be_pulled_fails(status: str) -> None:
    verdict = image_gate(image().model_copy(update={"status": status}))

    assert verdict == failed(
        "image",
        Reason.IMAGE_UNAVAILABLE,
        f"sha256:b2b2b2b2b2b2 is {status} in the registry; restore it or push it again.",
    )


def test_an_image_that_is_gone_fails() -> None:
    assert image_gate(None) == failed(
        "image", Reason.IMAGE_MISSING, "The image is no longer in the registry."
    )


def test_an_active_image_passes() -> None:
    assert image_gate(image()) == passed("image", "sha256:b2b2b2b2b2b2 is ACTIVE")


def test_an_image_for_another_architecture_fails() -> None:
    assert platform_gate(image(), "X86_64") == failed(
        "platform",
        Reason.PLATFORM_MISMATCH,
        "The image is built for ARM64, the service runs X86_64. Build it for that platform, "
        "without a CPU variant, or change runtimePlatform in the service's task definition.",
    )
    assert platform_gate(image(), "ARM64") == passed("platform", "built for ARM64")


@pytest.mark.parametrize("status", ["COMPLETE", "ACTIVE"])
def test_a_finished_scan_without_findings_passes(status: str) -> None:
    assert scanned(status) == passed("scan", "nothing at or above HIGH")


@pytest.mark.parametrize("status", ["IN_PROGRESS", "PENDING", "ABSENT"])
def test_an_unfinished_scan_is_waited_for(status: str) -> None:
    assert scanned(status, minutes=9) == GateVerdict(
        gate="scan",
        state=GateState.WAITING,
        reason=Reason.WAITING,
        message=f"waiting for the scan (status {status})",
    )


@pytest.mark.parametrize("status", ["IN_PROGRESS", "PENDING", "ABSENT"])
def test_patience_with_an_unfinished_scan_ends(status: str) -> None:
    assert scanned(status, minutes=10) == failed(
        "scan",
        Reason.SCAN_FAILED,
        f"No finished scan after 10 minutes (status {status}); "
        "scan the image and request the deployment again.",
    )


@pytest.mark.parametrize(
    "status",
    [
        "FAILED",
        "UNSUPPORTED_IMAGE",
        "SCAN_ELIGIBILITY_EXPIRED",
        "FINDINGS_UNAVAILABLE",
        "LIMIT_EXCEEDED",
        "IMAGE_ARCHIVED",
        "SOMETHING_NEW",
        "",
    ],
)
def test_a_scan_that_ended_otherwise_fails_at_once(status: str) -> None:
    assert scanned(status) == failed("scan", Reason.SCAN_FAILED, f"The scan ended as {status}.")


def test_findings_below_the_threshold_pass() -> None:
    assert scanned("COMPLETE", MEDIUM=7, LOW=1) == passed("scan", "nothing at or above HIGH")


def test_findings_at_or_above_the_threshold_are_counted() -> None:
    assert scanned("COMPLETE", HIGH=2, CRITICAL=1, LOW=9) == failed(
        "scan", Reason.SCAN_FINDINGS, "The scan found 1 CRITICAL, 2 HIGH."
    )


@pytest.mark.parametrize("severity", ["UNDEFINED", "UNTRIAGED"])
def test_a_severity_that_nobody_ranked_blocks(severity: str) -> None:
    scan = Scan(status="COMPLETE", findings={severity: 1})
    verdict = scan_gate(scan, ScanGate(block_from=Severity.CRITICAL), START, START)

    assert verdict == failed("scan", Reason.SCAN_FINDINGS, f"The scan found 1 {severity}.")


def test_a_count_of_zero_is_no_finding() -> None:
    assert scanned("COMPLETE", CRITICAL=0, UNDEFINED=0) == passed(
        "scan", "nothing at or above HIGH"
    )


@given(
    st.sampled_from(RANKED),
    st.dictionaries(st.sampled_from([*RANKED, "UNDEFINED"]), st.integers(0, 3)),
)
def test_a_scan_passes_only_when_every_finding_is_ranked_below_the_threshold(
    threshold: str, findings: dict[str, int]
) -> None:
    policy = ScanGate(block_from=Severity(threshold))
    verdict = scan_gate(Scan(status="COMPLETE", findings=findings), policy, START, START)

    below = RANKED[: RANKED.index(threshold)]
    harmless = all(severity in below for severity, count in findings.items() if count)
    assert (verdict.state is GateState.PASSED) is harmless


def test_the_first_environment_has_nothing_before_it() -> None:
    assert earlier_gate(None, False, NEW, explicit=False) == passed(
        "earlier environment", "none comes before this one"
    )


def test_a_digest_that_succeeded_before_passes() -> None:
    assert earlier_gate("staging", True, NEW, explicit=False) == passed(
        "earlier environment", "sha256:b2b2b2b2b2b2 succeeded in staging"
    )


def test_a_digest_that_was_not_seen_before_fails() -> None:
    assert earlier_gate("staging", False, NEW, explicit=False) == failed(
        "earlier environment",
        Reason.EARLIER_ENVIRONMENT_MISSING,
        "sha256:b2b2b2b2b2b2 has not succeeded in staging; deploy it there first.",
    )


def test_an_explicit_request_skips_the_earlier_environment_and_the_verdict_says_so() -> None:
    assert earlier_gate("staging", False, NEW, explicit=True) == passed(
        "earlier environment", "not seen in staging; allowed by an explicit request"
    )


def test_an_alarm_that_fires_fails() -> None:
    assert alarm_gate(("a", "b", "c"), ("b", "c")) == failed(
        "alarms", Reason.ALARM_FIRING, "In alarm: b, c."
    )
    assert alarm_gate(("a", "b"), ()) == passed("alarms", "2 quiet")
    assert alarm_gate((), ()) == passed("alarms", "none configured")


def test_a_lane_without_a_last_good_release_may_deploy_for_the_first_time() -> None:
    assert rollback_gate(None, None) == passed(
        "rollback target", "first deployment of the lane: if it fails, an operator is paged"
    )


ANEW = deploy_command("notes/staging", NEW)
ARCHIVED = image(OLD).model_copy(update={"status": "ARCHIVED"})


@pytest.mark.parametrize(
    ("found", "way_on"),
    [(None, "Deploy"), (ARCHIVED, "Restore it in the registry, or deploy")],
)
@pytest.mark.parametrize("explicit", [False, True])
def test_a_last_good_image_that_cannot_be_pulled_fails_with_a_way_on(
    found: Image | None, way_on: str, explicit: bool
) -> None:
    assert rollback_gate(stable(), found, explicit=explicit, ask_anew=ANEW) == failed(
        "rollback target",
        Reason.NOTHING_TO_ROLL_BACK_TO,
        "Rollback is not possible: the last good image sha256:a1a1a1a1a1a1 can no longer be "
        f"pulled. {way_on} anyway: {ANEW}",
    )


def test_an_explicit_request_goes_on_without_a_way_back_where_its_plan_says_so() -> None:
    assert rollback_gate(stable(), None, "it was deleted", explicit=True) == passed(
        "rollback target",
        "rollback is not possible: it was deleted; allowed by an explicit request",
    )


@pytest.mark.parametrize("found", [None, image(OLD)])
def test_a_push_never_goes_on_without_a_way_back(found: Image | None) -> None:
    assert rollback_gate(stable(), found, "it was deleted", ask_anew=ANEW) == failed(
        "rollback target",
        Reason.NOTHING_TO_ROLL_BACK_TO,
        f"Rollback is not possible: it was deleted. Deploy anyway: {ANEW}",
    )


@pytest.mark.parametrize(
    ("built_for", "system", "passes"),
    [
        ("LINUX", "LINUX", True),
        ("WINDOWS_SERVER_2022", "WINDOWS_SERVER_2022_CORE", True),
        ("WINDOWS_SERVER_2019", "WINDOWS_SERVER_2022_CORE", False),
        ("WINDOWS", "LINUX", False),
        ("LINUX", "WINDOWS_SERVER_2022_CORE", False),
    ],
)
def test_an_image_runs_on_its_own_operating_system_only(
    built_for: str, system: str, passes: bool
) -> None:
    built = image().model_copy(update={"operating_system": built_for})
    verdict = platform_gate(built, "ARM64", system)

    assert verdict.state is (GateState.PASSED if passes else GateState.FAILED)


def test_a_windows_image_on_a_linux_service_is_named_so() -> None:
    verdict = platform_gate(image().model_copy(update={"operating_system": "WINDOWS"}), "ARM64")

    assert verdict.message.startswith(
        "The image is built for WINDOWS ARM64, the service runs ARM64. Build it for that platform"
    )


@pytest.mark.parametrize("built_for", ["", "arm/v7", "amd64/v3"])
def test_an_image_for_an_unknown_or_special_machine_fails(built_for: str) -> None:
    built = image().model_copy(update={"architecture": built_for})

    assert platform_gate(built, "X86_64").state is GateState.FAILED


def test_a_last_good_image_that_is_there_passes() -> None:
    assert rollback_gate(stable(), image(OLD)) == passed(
        "rollback target", "notes-staging-0 (sha256:a1a1a1a1a1a1)"
    )


def test_the_first_failure_stops_the_deployment() -> None:
    good, bad, worse = passed("a", ""), alarm_gate((), ("x",)), alarm_gate((), ("y",))

    assert first_failure((good, bad, worse)) == bad
    assert first_failure((good,)) is None
