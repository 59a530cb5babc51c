"""Secrets in text of others: what programs like to print when they cannot reach something.

Every rule is linear in the text, because a hostile log must not hold a function. What looks like a
secret is taken out rather too often than once too rarely.
"""

import re
from typing import Final

from slipway.domain.text import LINE, cut, plain, storable

HIDDEN: Final = "***"

_NAMED: Final = re.compile(
    r"""(?ix)
    ( (?<! \d{12}:)                                          # a secret's ARN is none itself
      (?<! [\w.-]) [\w.-]{0,200}
      (?: password | passwd | passphrase | pwd | secret(?!smanager) | token | credential
        | api[_-]?key | access[_-]?key | private[_-]?key | account[_-]?key
        | signature | authorization | [_-]pass )
      [\w.-]{0,40} (?<!exception)(?<!error)
      \\{0,3} ["']? \s{0,3} [:=]>? \s{0,3} (?: \[ | [bru]{1,2}(?=["']) )? )
    ( \\{0,3} "[^"]{0,4000}"? | '[^']{0,4000}'?              # one that is cut has no end
      | (?:(?:bearer|basic|token)\s+)? [^\s"',;&]{1,4000} )
    """
)
# "token-service:v1.2.0" is an image, "task-definition/tokens:12" a revision.
_VERSION: Final = re.compile(r"v?\d{1,5}(?:\.\d{1,5}){0,3}")
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic)(\s{1,3})[A-Za-z0-9._~+/=-]{8,500}")
# What issuers' own formats give away without a name beside it.
_ISSUED: Final = re.compile(
    r"""(?x)
      \bxox[a-z]-[A-Za-z0-9-]{6,200}                          # Slack tokens
    | \bxapp-[A-Za-z0-9-]{6,200}
    | hooks\.slack\.com/[A-Za-z0-9/_-]{6,200}                 # Slack webhooks
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                           # AWS access keys
    | \b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{16,200}        # GitHub tokens
    | \bglpat-[A-Za-z0-9_-]{16,200}                           # GitLab tokens
    | \b[rs]k_(?:live|test)_[A-Za-z0-9]{10,200}               # Stripe keys
    | \beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{4,2000}(?:\.[A-Za-z0-9_-]{0,2000})?   # JWT
    | -----BEGIN\ [A-Z\ ]{0,40}PRIVATE\ KEY-----(?s:.{0,4000})
    """
)


def redact(text: str) -> str:
    """The text without passwords, tokens and keys, as far as their form gives them away.

    Expects text that is cut already; the work grows with its length only.
    """
    without_urls = " ".join(_without_login(word) for word in text.split(" "))
    named = _NAMED.sub(_hidden, without_urls)
    schemed = _SCHEME.sub(rf"\1\2{HIDDEN}", named)
    return _ISSUED.sub(HIDDEN, schemed)


def _hidden(found: re.Match[str]) -> str:
    """A named secret without its value; the version behind an image or a revision is none."""
    name, value = found[1], found[2]
    path = "-" in name or found.string[: found.start()].endswith("/")
    if path and name.endswith(":") and _VERSION.fullmatch(value):
        return found[0]
    return f"{name}{HIDDEN}"


def redact_for_record(text: str, most: int = 4000) -> str:
    """Text of others as it may be stored and logged: bounded, without secrets, else as it came."""
    return redact(cut(storable(text), most))


def redact_for_people(text: str, most: int = LINE) -> str:
    """Text of others as people may see it: one printable line of ``most`` characters at most,
    without secrets.
    """
    # First plain: a colour or a line break inside of a secret would hide it from the rules.
    return cut(redact(plain(text, most)), most)


def _without_login(word: str) -> str:
    """A word without the password between ``://`` and the last ``@``: a password may hold both."""
    head, separator, rest = word.partition("://")
    login, at, host = rest.rpartition("@")
    if not separator or not at:
        return word
    user = login.partition(":")[0] if ":" in login else ""
    return f"{head}://{user}{':' if user else ''}{HIDDEN}@{host}"
