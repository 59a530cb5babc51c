"""Ask the registry what an event does not say: what was pushed, and exactly when."""

import re
from datetime import timedelta
from typing import Final

from slipway.domain.deployment import Origin
from slipway.domain.errors import ControlPlaneError, Reason, Rejected, Transient
from slipway.domain.release import Pushed
from slipway.domain.wording import short_digest
from slipway.ports.registry import ImageRegistry
from slipway.requests.wish import Wish

# ECR's events carry whole seconds, its images fractions. What is further apart is the event of
# another tag, put on an image that was pushed before.
_SAME_PUSH: Final = timedelta(seconds=1)
# https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md and the referrers tag of the
# OCI distribution specification.
_ATTACHED: Final = re.compile(r"sha256-[0-9a-f]{64}(\.[a-z]{1,20})?")


def check_image(wish: Wish, registry: ImageRegistry) -> Wish:
    """The wish with the registry's own time of a push; Rejected for what is no container image.

    Transient where the registry is busy: a push event is retried, or the sweep finds the push.
    Where it refuses us, and for a person who waits for an answer, the event's words are taken, and
    Plan looks again.
    """
    if wish.origin is Origin.PROMOTION:
        return wish
    pushed = _find_pushed(wish, registry)
    what = pushed.what if pushed is not None else wish.artifact or _attachment(wish)
    if what is not None:
        raise Rejected(
            Reason.NOT_AN_IMAGE,
            f"{wish.release.repository}:{wish.release.tag} "
            f"({short_digest(wish.release.digest)}) is not a container image: {what}. It starts "
            "no deployment; to exclude such tags, narrow push.tags in the catalog.",
        )
    if wish.origin is not Origin.PUSH or pushed is None or pushed.pushed_at is None:
        return wish
    if abs(pushed.pushed_at - wish.release.pushed_at) > _SAME_PUSH:
        return wish
    release = wish.release.model_copy(update={"pushed_at": pushed.pushed_at})
    return wish.model_copy(update={"release": release})


def _attachment(wish: Wish) -> str | None:
    named = _ATTACHED.fullmatch(wish.release.tag) is not None
    return "an attachment to an image, such as a signature" if named else None


def _find_pushed(wish: Wish, registry: ImageRegistry) -> Pushed | None:
    try:
        return registry.looked_up(wish.release.repository, wish.release.digest)
    except Transient:
        # A Helm chart that is taken for an image would end what waits.
        if wish.origin is not Origin.REQUEST:
            raise
    except ControlPlaneError:
        pass
    return None
