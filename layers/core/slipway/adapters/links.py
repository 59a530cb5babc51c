"""Where the pages are: a link carries the right to open it, so it is signed."""

from urllib.parse import quote, urlencode

from slipway.domain.approval import APPROVE, STATUS, VIEW, Approval, link_subject, signature


class Links:
    """Links to the pages, signed with the stack's key.

    Without a public URL they are relative: good on a page, whose host is the request's own, and
    useless in a message.
    """

    def __init__(self, public_url: str, key: str) -> None:
        self._base = public_url.rstrip("/")
        self._key = key

    @property
    def absolute(self) -> bool:
        """Whether the links lead somewhere from outside the pages themselves."""
        return self._base != ""

    def approval(self, approval: Approval) -> str:
        """The approval's page: bound to deployment, digest and plan."""
        signed = signature(self._key, APPROVE, link_subject(approval))
        return self._link(f"/approvals/{quote(approval.deployment_id)}", signed)

    def deployment(self, deployment_id: str) -> str:
        """A deployment's page."""
        signed = signature(self._key, VIEW, deployment_id)
        return self._link(f"/deployments/{quote(deployment_id)}", signed)

    def status(self) -> str:
        """The status of every lane."""
        return self._link("/", signature(self._key, VIEW, STATUS))

    def _link(self, path: str, signed: str) -> str:
        return f"{self._base}{path}?{urlencode({'sig': signed})}"
