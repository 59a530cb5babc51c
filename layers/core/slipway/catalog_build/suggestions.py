"""Suggests a name where a file has an address, an ARN or a tag."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*")
# ECR's endpoints (https://docs.aws.amazon.com/general/latest/gr/ecr.html), also of other
# partitions, FIPS and dual stack, and the public gallery.
_ECR_HOST: Final = re.compile(
    r"(?:[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9.-]{1,60}|public\.ecr\.aws|ecr-public\.aws\.com)/"
)
_HOST: Final = re.compile(r"[a-z0-9.-]{1,253}\.[a-z]{2,63}(?::[0-9]{1,5})?/|localhost(?::[0-9]+)?/")
_LONGEST: Final = 600


def names_a_registry(repository: str) -> bool:
    """Whether a repository's name begins with an ECR endpoint, which is not a part of it."""
    return bool(_ECR_HOST.match(repository.lower()))


def looks_like_a_host(repository: str) -> bool:
    """Whether a repository's name begins like the address of a registry."""
    return bool(_HOST.match(repository.lower()))


def repository(written: str) -> str | None:
    """'parcels' for 'https://….dkr.ecr.….amazonaws.com/parcels:latest', 'Parcels', 'parcels/'."""
    text = written.strip().lower()
    if text.startswith("arn:"):
        text = text.partition(":repository/")[2]
    text = _HOST.sub("", re.sub(r"^[a-z]{1,20}://", "", text), count=1)
    text = re.split(r"[:@]", text, maxsplit=1)[0].strip("/ ")
    return text if _REPOSITORY.fullmatch(text) else None


def last_of_arn(written: str) -> str | None:
    """'api' for 'arn:aws:ecs:…:service/shop/api', 'shop' for 'shop.abc.eu-west-1.rds.….com'."""
    if written.startswith("arn:"):
        return re.split(r"[:/]", written.strip())[-1] or None
    if ".rds." in written:
        return urlsplit(f"//{re.sub('^[a-z]+://', '', written)}").netloc.partition(".")[0] or None
    return written.strip("/ ").rpartition("/")[2] or None


def address(written: str) -> str | None:
    """'https://shop.example.com' for the same with a path, a slash or no scheme."""
    text = written.strip()
    found = urlsplit(text if "://" in text else f"https://{text}")
    if found.scheme.lower() not in ("http", "https") or not found.netloc or "." not in found.netloc:
        return None
    return f"{found.scheme.lower()}://{found.netloc.rpartition('@')[2]}"


def channel(written: str) -> str:
    """'#deployments' for 'deployments'."""
    return f"#{re.sub(r'[^a-z0-9_-]+', '-', written.strip().lower().lstrip('#'))}"


_OF_FIELD: Final[dict[str, Callable[[str], str | None]]] = {
    "repository": repository,
    "cluster": last_of_arn,
    "service": last_of_arn,
    "container": last_of_arn,
    "identifier": last_of_arn,
    "base_url": address,
}


def suggestion(field: str, written: str) -> str | None:
    """What a field probably should contain instead; None without a suggestion."""
    make = _OF_FIELD.get(field)
    if make is None or len(written) > _LONGEST:
        return None
    try:
        found = make(written)
    except ValueError:
        # urlsplit raises it for unbalanced brackets.
        return None
    return found if found != written else None
