"""How durations, moments and images read, on a page as in Slack."""

from datetime import UTC, datetime, timedelta

_MINUTE = 60
_HOUR = 3600
_DAY = 86_400


def spoken(duration: timedelta) -> str:
    """A duration in its two largest units, such as "0.4 s", "42 s", "4 min 12 s" or "3 h 5 min"."""
    seconds = max(duration.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def moment(at: datetime) -> str:
    """A point in time, to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def distance(at: datetime, now: datetime) -> str:
    """How far a point in time is away: "in 4 min 12 s" or "4 min 12 s ago"."""
    if at >= now:
        return f"in {spoken(at - now)}"
    return f"{spoken(now - at)} ago"


def short_digest(digest: str) -> str:
    """Enough of a digest to recognise it: "sha256:" and 12 hex digits."""
    return digest[:19]


def short_image(image: str) -> str:
    """An image reference without its registry and with a short digest; other words as they are."""
    name, at, digest = image.partition("@")
    if not at or not digest.startswith("sha256:"):
        return image
    return f"{name.partition('/')[2] or name}@{short_digest(digest)}"
