"""Links to the web pages. Whoever has a link may open it, so every link is signed."""

from urllib.parse import quote, urlencode

from slipway.domain.approval import APPROVE, STATUS, VIEW, Approval, link_subject, signature


class Links:
    """Links to the pages, signed with the stack's key.

    Without a public URL they are relative: they work on a page, but not in a message.
    """

    def __init__(self, public_url: str, key: str) -> None:
        self._base = public_url.rstrip("/")
        self._key = key

    @property
    def absolute(self) -> bool:
        """Whether the links work outside the pages, such as in a message."""
        return self._base != ""

    def approval(self, approval: Approval) -> str:
        """The approval page; the signature is bound to deployment, digest and plan."""
        signed = signature(self._key, APPROVE, link_subject(approval))
        return self._link(f"/approvals/{quote(approval.deployment_id)}", signed)

    def deployment(self, deployment_id: str) -> str:
        """A deployment's page."""
        signed = signature(self._key, VIEW, deployment_id)
        return self._link(f"/deployments/{quote(deployment_id)}", signed)

    def status(self) -> str:
        """The page with the status of every lane."""
        return self._link("/", signature(self._key, VIEW, STATUS))

    def _link(self, path: str, signed: str) -> str:
        return f"{self._base}{path}?{urlencode({'sig': signed})}"
