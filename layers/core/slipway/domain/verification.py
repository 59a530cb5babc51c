"""How a deployed release is judged, as the catalog says it."""

from typing import Final

from pydantic import Field

from slipway.domain.fields import Text
from slipway.domain.model import Model

_WITHOUT_A_BODY: Final = (204, 205, 304)


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

    @property
    def why_never(self) -> str | None:
        """Why no site can answer this check; None when one can (RFC 9110, section 15)."""
        if self.status < 200:
            return f"status: {self.status} is never the whole answer"
        demands = [name for name in ("contains", "version_field") if getattr(self, name)]
        if self.status in _WITHOUT_A_BODY and demands:
            return f"{demands[0]}: an answer with status {self.status} has no body"
        return None


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
