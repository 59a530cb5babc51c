"""Images, as the registry knows them."""

from typing import Protocol

from slipway.domain.gates import Scan
from slipway.domain.release import Image, Pushed, Release


class ImageRegistry(Protocol):
    """ECR."""

    def image(
        self, repository: str, reference: str, architecture: str, system: str = "LINUX"
    ) -> Image | None:
        """The image behind a digest or tag, resolved for an ECS platform; None if absent.

        Rejected(NotAnImage) for whatever is no container image.
        """
        ...

    def status(self, repository: str, reference: str) -> Image | None:
        """As image(), without labels and platform: one call."""
        ...

    def looked_up(self, repository: str, digest: str) -> Pushed | None:
        """What a digest is, and when it was pushed; None when it is not there."""
        ...

    def tagged(self, repository: str) -> list[Release]:
        """Every tag with its image and the first push of that; none without a repository."""
        ...

    def scan(self, repository: str, digest: str) -> Scan:
        """The vulnerability scan of this digest; status ABSENT when there is none."""
        ...
