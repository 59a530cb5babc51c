"""A registry that answers what a test told it."""

from dataclasses import dataclass, field

from slipway.domain.gates import Scan
from slipway.domain.release import Image, Pushed


@dataclass
class StubRegistry:
    """``images`` by (repository, digest or tag); ``scans`` and what is no image by digest."""

    images: dict[tuple[str, str], Image] = field(default_factory=dict)
    scans: dict[str, Scan] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)

    def image(
        self, repository: str, reference: str, architecture: str, system: str = "LINUX"
    ) -> Image | None:
        return self.images.get((repository, reference))

    def looked_up(self, repository: str, digest: str) -> Pushed | None:
        image = self.images.get((repository, digest))
        what = self.artifacts.get(digest)
        if image is None and what is None:
            return None
        return Pushed(pushed_at=image.pushed_at if image else None, what=what)

    def status(self, repository: str, reference: str) -> Image | None:
        image = self.images.get((repository, reference))
        return image.model_copy(update={"architecture": "", "labels": {}}) if image else None

    def scan(self, repository: str, digest: str) -> Scan:
        return self.scans.get(digest, Scan(status="ABSENT", findings={}))
