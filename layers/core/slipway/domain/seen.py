"""What a repository's tags named at the last sweep: ECR does not say when a tag moved."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from slipway.domain.lane import Candidate
from slipway.domain.model import Model, Versioned
from slipway.domain.release import Release

# 11 bytes each as JSON: the document stays below 64 KB.
_PAIRS_KEPT: Final = 5000
_HASH_BYTES: Final = 6
# What is true of an unchanged repository is written down again so often: the later, the better
# the order of a tag that moved is known.
_FRESH: Final = timedelta(hours=1)
# A lane that was never used takes up no image that was there before Slipway was.
_NEW_LANE_LOOKS_BACK: Final = timedelta(days=1)
# ECR's events carry whole seconds, its images fractions.
_CLOCKS_DIFFER: Final = timedelta(seconds=1)


class SeenTags(Versioned):
    """Every (tag, digest) of a repository that was judged, as short hashes.

    Of more than 5,000 the newest images' are kept; a tag that moves to an older one is not
    noticed.
    """

    repository: str
    until: datetime = Field(description="every image pushed before was judged for these lanes")
    lanes: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    kept_from: datetime | None = Field(
        default=None, description="push of the oldest image kept, where there were too many"
    )

    def unknown(self, releases: Iterable[Release]) -> list[Release]:
        """Those that were not there at the last look."""
        pairs = set(self.pairs)
        return [one for one in releases if not self._forgot(one) and _short(one) not in pairs]

    def _forgot(self, release: Release) -> bool:
        return self.kept_from is not None and release.pushed_at <= self.kept_from

    def after(
        self, releases: Sequence[Release], lanes: Iterable[str], until: datetime
    ) -> "SeenTags":
        """What is remembered after a look that judged these releases for these lanes."""
        newest = sorted(releases, key=lambda one: one.pushed_at, reverse=True)[:_PAIRS_KEPT]
        update = {
            "until": until,
            "lanes": tuple(sorted(lanes)),
            "pairs": tuple(sorted({_short(one) for one in newest})),
            "kept_from": newest[-1].pushed_at if len(newest) < len(releases) else None,
        }
        return self.model_copy(update=update)

    def worth_writing_over(self, before: "SeenTags | None") -> bool:
        """Whether this says more than what is stored."""
        if before is None or self.until - before.until >= _FRESH:
            return True
        return self.model_copy(update={"until": before.until}) != before


class LostEvents(Model):
    """What may have been lost on its way to one lane, the newest image first.

    ``pushes`` are images that came since the last look; ``retags`` are images that were there
    before and are named by another tag now.
    """

    pushes: tuple[Release, ...]
    retags: tuple[Release, ...] = ()


def lost_events(
    eligible: Iterable[Release],
    seen: SeenTags | None,
    lane_id: str,
    newest: Candidate | None,
    now: datetime,
) -> LostEvents:
    """Of the releases that are meant for a lane those that nobody may have admitted.

    The first look for a lane reports no retags: it takes what was pushed since the lane's newest
    candidate, or within a day where there is none.
    """
    latest = sorted(eligible, key=lambda one: one.pushed_at, reverse=True)
    if seen is None or lane_id not in seen.lanes:
        since = newest.order - _CLOCKS_DIFFER if newest else now - _NEW_LANE_LOOKS_BACK
        return LostEvents(pushes=tuple(one for one in latest if one.pushed_at >= since))
    new = seen.unknown(latest)
    return LostEvents(
        pushes=tuple(one for one in new if one.pushed_at >= seen.until),
        retags=tuple(one for one in new if one.pushed_at < seen.until),
    )


def _short(release: Release) -> str:
    pair = f"{release.tag}@{release.digest}".encode()
    return urlsafe_b64encode(hashlib.sha256(pair).digest()[:_HASH_BYTES]).decode()
