"""What is deployed: an image, by digest."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import StringConstraints

from slipway.domain.model import Model

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]

VERSION_LABEL: Final = "org.opencontainers.image.version"
REVISION_LABEL: Final = "org.opencontainers.image.revision"
SCHEMA_LABEL: Final = "dev.slipway.schema"
COMPATIBLE_LABEL: Final = "dev.slipway.backward-compatible"


class Release(Model):
    """An image as it was asked for; the tag is only a label."""

    repository: str
    digest: Digest
    tag: str
    pushed_at: datetime


class Image(Model):
    """What the registry says about a release's image for one platform.

    ``digest`` is the pushed one (an index for a multi-platform push), ``platform_digest`` the
    image that a task of this architecture runs.
    """

    repository_uri: str
    digest: Digest
    platform_digest: Digest
    architecture: str
    status: str
    labels: dict[str, str]
    pushed_at: datetime | None = None

    @property
    def uri(self) -> str:
        """The reference to deploy: pinned, never a tag."""
        return f"{self.repository_uri}@{self.digest}"

    @property
    def version(self) -> str | None:
        """The version that the release says it is."""
        return self.labels.get(VERSION_LABEL)

    @property
    def schema_revision(self) -> str | None:
        """The database schema that the release expects."""
        return self.labels.get(SCHEMA_LABEL)

    @property
    def backward_compatible(self) -> bool:
        """Whether the release declares that the previous code runs on its schema."""
        return self.labels.get(COMPATIBLE_LABEL) == "true"
