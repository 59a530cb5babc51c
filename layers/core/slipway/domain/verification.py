"""How a deployed release is judged, as the catalog says it."""

from pydantic import Field

from slipway.domain.fields import Text
from slipway.domain.model import Model


class HttpCheck(Model):
    """One request from outside and the answer that is expected."""

    path: str = Field(pattern=r"^/", description="appended to the base URL")
    status: int = Field(default=200, ge=100, le=599, description="HTTP status that is expected")
    contains: str | None = Field(default=None, description="text that the body must contain")
    version_field: str | None = Field(
        default=None,
        description="JSON field of the body that must equal the image's version label; dots lead "
        "into objects, as in build.version",
    )
    redirects_to: str | None = Field(
        default=None,
        pattern=r"^/",
        description="path on the same host that `path` leads to; its answer counts then, where an "
        "answer from another path does not",
    )

    @property
    def follows(self) -> bool:
        """Whether redirects are followed: one that is expected is itself the answer."""
        return not 300 <= self.status < 400


class Verification(Model):
    """How a deployed release is judged."""

    base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]+$",
        description="where the service is reached; without it, the address of its load balancer",
    )
    checks: tuple[HttpCheck, ...] = Field(
        default=(), description="requests that all must be answered as expected"
    )
    alarms: tuple[Text, ...] = Field(default=(), description="must be quiet while it bakes")
    attempts: int = Field(default=3, ge=1, le=20, description="failed looks before the verdict")
    interval_seconds: int = Field(default=10, ge=1, le=600, description="between two looks")
    bake_seconds: int = Field(default=0, ge=0, le=86_400, description="healthy for this long")
