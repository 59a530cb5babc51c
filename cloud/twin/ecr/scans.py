"""Basic image scanning: scans that take time, with findings that can be set beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cloud.twin.ecr.images import Image, Repository, readable
from cloud.twin.errors import AwsError
from cloud.twin.world import World

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
STATUSES = {
    "IN_PROGRESS": "The scan is in progress.",
    "COMPLETE": "The scan was completed successfully.",
    "FAILED": "The scan failed.",
    "UNSUPPORTED_IMAGE": "UnsupportedImageError: The operating system is not supported.",
    "ACTIVE": "Continuous scan is selected for image.",
    "PENDING": "The image is waiting to be scanned.",
    "SCAN_ELIGIBILITY_EXPIRED": "The image is no longer eligible for scanning.",
    "FINDINGS_UNAVAILABLE": "Findings are not available.",
    "LIMIT_EXCEEDED": "The scan limit was reached.",
    "IMAGE_ARCHIVED": "The image is archived.",
}
WITH_FINDINGS = ("COMPLETE", "ACTIVE")


@dataclass(frozen=True)
class ScanOutcome:
    """How a scan ends. A severity without a finding is absent, as in AWS."""

    status: str = "COMPLETE"
    findings: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Scan:
    """The one scan of an image."""

    status: str
    findings: Mapping[str, int] = field(default_factory=dict)
    completed_at: datetime | None = None


class Scans:
    """The scans of every image, by repository and digest."""

    def __init__(self, world: World) -> None:
        self.seconds = 5.0
        self._world = world
        self._scans: dict[tuple[str, str], Scan] = {}
        self._prepared: dict[tuple[str, str], ScanOutcome] = {}

    def prepare(self, repository: str, reference: str, outcome: ScanOutcome) -> None:
        """Say how scans of this digest or tag end; AwsError if the outcome cannot be."""
        unknown = set(outcome.findings) - set(SEVERITIES)
        if outcome.status not in STATUSES or unknown:
            raise AwsError(
                "InvalidParameterException",
                f"A scan has a status of {', '.join(STATUSES)} and findings of the severities"
                f" {', '.join(SEVERITIES)}, not {outcome.status} and {sorted(outcome.findings)}.",
            )
        self._prepared[(repository, reference)] = outcome

    def start(self, repository: Repository, image: Image) -> Scan:
        """Begin a scan; it ends after `seconds`, by default without findings."""
        scan = Scan("IN_PROGRESS")
        self._scans[(repository.name, image.digest)] = scan
        self._world.clock.call_later(self.seconds, lambda: self.finish(repository, image))
        return scan

    def finish(self, repository: Repository, image: Image) -> None:
        """End the image's scan now, as prepared for its digest or one of its tags."""
        outcome = self._outcome(repository, image)
        now = self._world.clock.now()
        findings = {name: count for name, count in outcome.findings.items() if count > 0}
        scan = Scan(outcome.status, findings, now)
        self._scans[(repository.name, image.digest)] = scan
        if scan.status == "COMPLETE":
            self._tell(repository, image, scan)

    def describe(self, repository: Repository, image: Image) -> dict[str, Any]:
        """The answer of DescribeImageScanFindings; raises ScanNotFoundException."""
        scan = self._scans.get((repository.name, image.digest))
        image_id = image.identifiers()[0]
        if scan is None:
            raise AwsError(
                "ScanNotFoundException",
                f"Image scan does not exist for the image with '{readable(image_id)}' in the"
                f" repository with name '{repository.name}' in the registry with id"
                f" '{repository.account}'",
            )
        answer = _heading(repository, image_id, scan)
        if scan.status in WITH_FINDINGS:
            answer["imageScanFindings"] = _findings(scan)
        return answer

    def forget(self, repository: Repository, image: Image) -> None:
        """The image is gone, and its scan with it."""
        self._scans.pop((repository.name, image.digest), None)

    def _outcome(self, repository: Repository, image: Image) -> ScanOutcome:
        for reference in (image.digest, *image.tags):
            if prepared := self._prepared.get((repository.name, reference)):
                return prepared
        return ScanOutcome()

    def _tell(self, repository: Repository, image: Image, scan: Scan) -> None:
        detail = {
            "scan-status": scan.status,
            "repository-name": repository.name,
            "finding-severity-counts": dict(scan.findings),
            "image-digest": image.digest,
            "image-tags": list(image.tags),
        }
        self._world.tell("aws.ecr", "ECR Image Scan", [repository.arn], detail)


def started(repository: Repository, image_id: dict[str, str], scan: Scan) -> dict[str, Any]:
    """The answer of StartImageScan."""
    return _heading(repository, image_id, scan)


def _heading(repository: Repository, image_id: dict[str, str], scan: Scan) -> dict[str, Any]:
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageId": image_id,
        "imageScanStatus": {"status": scan.status, "description": STATUSES[scan.status]},
    }


def _findings(scan: Scan) -> dict[str, Any]:
    listed = [(severity, n) for severity, count in scan.findings.items() for n in range(count)]
    return {
        "imageScanCompletedAt": scan.completed_at,
        "vulnerabilitySourceUpdatedAt": scan.completed_at,
        "findingSeverityCounts": dict(scan.findings),
        "findings": [
            {
                "name": f"CVE-2026-{number:04d}",
                "description": "A finding set on the twin.",
                "severity": severity,
            }
            for number, (severity, _) in enumerate(listed[:100], start=1)
        ],
    }
