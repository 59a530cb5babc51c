"""Templates to HTML: everything escaped, one inline style sheet that the policy names by its hash.

Templates are compiled to Python at build (``python -m slipway.web.rendering FOLDER``), so that a
cold start neither parses nor compiles them; without the compiled ones they are read as they are.
"""

import base64
import hashlib
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import BaseLoader, Environment, FileSystemLoader, ModuleLoader, StrictUndefined
from markupsafe import Markup, escape

from slipway.domain import guidance, wording
from slipway.domain.redaction import redact_for_people

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = _HERE / "templates"
_COMPILED: Final = _HERE / "compiled"
# A sentence of ours with its commands is shorter; what is longer is others'.
_LONGEST: Final = 4000


@cache
def style() -> str:
    """The style sheet of every page."""
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8")


@cache
def headers() -> dict[str, str]:
    """What every answer carries: no script, no cache, no referrer (links carry signatures)."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    }


def render(template: str, **context: Any) -> str:
    """One page; a value that the template needs and does not get is an error."""
    return _environment().get_template(template).render(context)


def compile_templates(folder: Path) -> None:
    """Write the templates as Python modules into a folder."""
    _build_environment(FileSystemLoader(_TEMPLATES)).compile_templates(
        folder, extensions=["html"], zip=None, ignore_errors=False
    )


@cache
def _environment() -> Environment:
    loader: BaseLoader = FileSystemLoader(_TEMPLATES)
    if _COMPILED.is_dir():
        loader = ModuleLoader(_COMPILED)
    return _build_environment(loader)


def _printable(value: Any) -> Any:
    """Every text that a template shows, in one printable line without secrets."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return redact_for_people(value, _LONGEST)
    return value


def _with_code(text: str) -> Markup:
    """Text in which what stands between backquotes is code."""
    parts = redact_for_people(text, _LONGEST).split("`")
    marked = [
        Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts)
    ]
    return Markup("").join(marked)


def _build_environment(loader: BaseLoader) -> Environment:
    environment: Environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["style"] = Markup(style())
    environment.filters.update(
        moment=wording.moment,
        spoken=wording.spoken,
        short_digest=wording.short_digest,
        short_image=wording.short_image,
        what_next=guidance.what_next,
        with_code=_with_code,
    )
    environment.tests["good"] = lambda word: word in _GOOD
    environment.tests["bad"] = lambda word: word in _BAD
    return environment


_GOOD: Final = frozenset({"Succeeded", "passed", "approve"})
_BAD: Final = frozenset(
    {"RolledBack", "RollbackFailed", "NeedsOperator", "Failed", "Blocked", "failed", "reject"}
)

if __name__ == "__main__":
    compile_templates(Path(sys.argv[1]))
