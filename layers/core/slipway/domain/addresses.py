"""Which addresses can be asked at all from where Slipway's functions run."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

# RFC 1035, with the underscore that some names have: labels of 63, 253 characters in all.
_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_NAME: Final = 253
# A name that ends in a number is read as an IPv4 address, also 127.1, 0x7f.1 and 2130706433.
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


def why_unreachable(base_url: str) -> str | None:
    """Why nothing can be asked at ``http(s)://host[:port]``; None when it may be possible."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address"
    if "@" in parts.netloc:
        return "must not contain a user or a password"
    if parts.query or parts.fragment or base_url.endswith(("?", "#")):
        return "must end after the host and its port"
    if port == 0 or parts.netloc.endswith(":"):
        return "needs a port from 1 to 65535, or none"
    if parts.scheme == "https" and host.removesuffix(".cn").endswith(".elb.amazonaws.com"):
        return "is HTTPS under a load balancer's own name, which is in no certificate"
    return _why_bad_host(host.removesuffix("."))


def _why_bad_host(host: str) -> str | None:
    labels = host.split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        return _why_bad_ip(host)
    if labels[-1].lower() == "localhost":
        return "names the function itself, not the service"
    # A name beyond ASCII is looked up by its IDNA form, which is for the resolver to refuse.
    named = all(_LABEL.fullmatch(label) or not label.isascii() for label in labels)
    if not named or len(host) > _LONGEST_NAME:
        return "has a host that no name can be"
    return None


def _why_bad_ip(host: str) -> str | None:
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return "has a host that is neither a name nor an IP address"
    mapped = getattr(number, "ipv4_mapped", None)
    if (mapped or number).is_global and not number.is_multicast:
        return None
    return "is not a public IP address, so Slipway's functions cannot reach it; use a public name"
