"""What is deployed: an image, by digest."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import StringConstraints

from slipway.domain.model import Model
from slipway.domain.text import plain

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]

VERSION_LABEL: Final = "org.opencontainers.image.version"
REVISION_LABEL: Final = "org.opencontainers.image.revision"
SCHEMA_LABEL: Final = "dev.slipway.schema"
COMPATIBLE_LABEL: Final = "dev.slipway.backward-compatible"

# Whoever builds the image writes them; what does not look like one says nothing.
SCHEMA: Final = r"^[A-Za-z0-9._+-]{1,128}$"
_LONGEST: Final = 128


def label_name(text: str | None) -> str | None:
    """A version or schema as it is meant: None for one that is missing, blank, or no such name."""
    name = (text or "")[: 2 * _LONGEST].strip()
    return name if re.fullmatch(SCHEMA, name) else None


def known_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that Slipway reads, each in one bounded line; build tools write many more."""
    known = (VERSION_LABEL, REVISION_LABEL, SCHEMA_LABEL, COMPATIBLE_LABEL)
    kept = {name: plain(labels[name], _LONGEST) for name in known if name in labels}
    # Only the very word declares it.
    if labels.get(COMPATIBLE_LABEL) != kept.get(COMPATIBLE_LABEL):
        del kept[COMPATIBLE_LABEL]
    return {name: text for name, text in kept.items() if text}


class Release(Model):
    """An image as it was requested; the tag is only a label."""

    repository: str
    digest: Digest
    tag: str
    pushed_at: datetime


class Pushed(Model):
    """What a digest in the registry is: ``what`` is None for a container image, or an index of
    some, and says "a Helm chart" or the like for everything else.
    """

    pushed_at: datetime | None
    what: str | None


class Image(Model):
    """What the registry says about a release's image for one platform.

    ``digest`` is the pushed one (an index for a multi-platform push), ``platform_digest`` the
    image that a task of this architecture runs. ``operating_system`` is what the name of an ECS
    operating system family begins with: LINUX, WINDOWS_SERVER_2022.
    """

    repository_uri: str
    digest: Digest
    platform_digest: Digest
    architecture: str
    status: str
    labels: dict[str, str]
    pushed_at: datetime | None = None
    operating_system: str = "LINUX"

    @property
    def uri(self) -> str:
        """The reference to deploy: pinned, never a tag."""
        return f"{self.repository_uri}@{self.digest}"

    @property
    def version(self) -> str | None:
        """The version that the release says it is."""
        return label_name(self.labels.get(VERSION_LABEL))

    @property
    def schema_revision(self) -> str | None:
        """The database schema that the release expects."""
        return label_name(self.labels.get(SCHEMA_LABEL))

    def misnames(self, label: str) -> bool:
        """Whether a version or schema label says something that is no such name."""
        text = self.labels.get(label, "").strip()
        return bool(text) and label_name(text) is None

    @property
    def backward_compatible(self) -> bool:
        """Whether the release declares that the previous code runs on its schema."""
        return self.labels.get(COMPATIBLE_LABEL) == "true"
