"""Whether a printed command would be understood: by the real parser, AWS's models, the Makefile."""

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator

from examples.notes.versions import VERSIONS
from slipway.operate.arguments import parse
from tests.unit.printed import ROOT

DIGEST: Final = f"sha256:{'ab' * 32}"
# The AWS CLI's own: https://docs.aws.amazon.com/cli/latest/reference/
_GLOBAL: Final = {"--query", "--output", "--endpoint-url", "--region", "--cli-binary-format"}
_CUSTOM: Final = {("logs", "tail"): {"--since", "--follow", "--format", "--filter-pattern"}}


class NotUnderstood(Exception):
    """What is wrong with a command."""


def understand(words: list[str], *, whole: bool) -> None:
    """Raise NotUnderstood; a command that is only mentioned may leave values out."""
    program = words[0].rpartition("/")[2]
    if program not in _PROGRAMS:
        raise NotUnderstood(f"nobody knows the program {program}")
    try:
        _PROGRAMS[program](words[1:], whole)
    except json.JSONDecodeError as error:
        raise NotUnderstood(f"this is no JSON: {error}") from None


# --------------------------------------------------------------------------------- make, python
def _make(words: list[str], whole: bool) -> None:
    targets = [word for word in words if "=" not in word]
    for target in targets:
        _must(target in _targets(), f"the Makefile has no target {target}")
    for name, value in (word.split("=", 1) for word in words if "=" in word):
        _must(name in _variables(), f"the Makefile has no variable {name}")
        _must(name != "VERSION" or value in VERSIONS, f"the example has no version {value}")
        if name == "DO":
            operate(value.split(), whole=True)


@cache
def _makefile() -> str:
    return (ROOT / "Makefile").read_text()


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z0-9-]+):.*## ", _makefile(), re.M))


@cache
def _variables() -> frozenset[str]:
    # What the recipes do not name they hand on in the environment.
    in_demo = re.findall(r'environ\.get\("([A-Z]+)"', (ROOT / "demo" / "__main__.py").read_text())
    in_recipes = re.findall(r"\$\((?:if )?([A-Z]+)[,)]", _makefile())
    return frozenset([*in_recipes, *in_demo])


def _python(words: list[str], whole: bool) -> None:
    _must(words[:1] == ["-m"], "expected python -m MODULE")
    module, arguments = words[1], words[2:]
    if module == "slipway.operate":
        return operate(arguments, whole=whole)
    found = find_spec(module)
    _must(found is not None and found.origin is not None, f"there is no module {module}")
    folder = (ROOT / "layers/core" / module.replace(".", "/"), ROOT / module.replace(".", "/"))
    source = "".join(p.read_text() for each in folder for p in each.glob("*.py"))
    for option in (word for word in arguments if word.startswith("--")):
        _must(f'"{option}"' in source, f"{module} has no option {option}")


def operate(words: list[str], *, whole: bool) -> None:
    """Raise NotUnderstood when the operator's command line would not understand the words."""
    if words in (["$@"], ["--help"]):
        return
    if not whole and words[:1] == ["--stack"]:
        words = [*words, "status"]
    if not whole and len(words) == 1:
        words = [words[0], *_COMPLETED.get(words[0], ())]
    given = [word.replace("sha256:...", DIGEST) for word in words]
    try:
        parse(given)
    except SystemExit:
        raise NotUnderstood("slipway.operate does not understand it") from None


_LANE, _BY, _ID = "fastapi-rds/staging", ("--by", "ada"), "fastapi-rds-staging-1"
_COMPLETED: Final = {
    "cancel": (_ID, *_BY),
    "deploy": (_LANE, "--tag", "v1", "--reason", "why", *_BY),
    "hold": (_LANE, "--message", "why", *_BY),
    "lift": (_LANE, *_BY),
    "show": (_ID,),
    "verify-records": ("--all",),
}


# ------------------------------------------------------------------------------------------ aws
def _aws(words: list[str], whole: bool) -> None:
    service, verb, *rest = words
    options = _options(rest)
    if (service, verb) in _CUSTOM:
        return _known(options, _CUSTOM[(service, verb)])
    operation = _waited_for(service, rest[0]) if verb == "wait" else _operation(service, verb)
    shape: Any = operation.input_shape
    members = {f"--{xform_name(name, '-')}": name for name in (shape.members if shape else {})}
    _known(options, set(members))
    if whole:
        given = {members[option] for option in options if option in members}
        missing = set(shape.required_members if shape else ()) - given
        _must(not missing, f"{operation.name} needs {', '.join(sorted(missing))}")
    for option, value in options.items():
        member = shape.members[members[option]] if option in members else None
        if member is not None and value[:1] in ("[", "{") and member.type_name != "string":
            _validated(json.loads(value), member)


def _options(words: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for word in words:
        if word.startswith("--"):
            last = word
            found[word] = ""
        elif last and not found[last]:
            found[last] = word
    return found


def _known(options: Iterable[str], known: set[str]) -> None:
    for option in options:
        _must(option in known | _GLOBAL, f"there is no option {option}")


@cache
def _session() -> Any:
    return botocore.session.get_session()


def _operation(service: str, verb: str) -> OperationModel:
    try:
        model = _session().get_service_model(service)
    except UnknownServiceError:
        raise NotUnderstood(f"AWS has no service {service}") from None
    names = {xform_name(name, "-"): name for name in model.operation_names}
    _must(verb in names, f"{service} has no operation {verb}")
    found: OperationModel = model.operation_model(names[verb])
    return found


def _waited_for(service: str, condition: str) -> OperationModel:
    waiters = _session().get_waiter_model(service)
    names = {xform_name(name, "-"): name for name in waiters.waiter_names}
    _must(condition in names, f"{service} has no waiter {condition}")
    operation = waiters.get_waiter(names[condition]).operation
    return _operation(service, xform_name(operation, "-"))


def _validated(value: Any, shape: Shape) -> None:
    report = ParamValidator().validate(value, shape)
    _must(not report.has_errors(), report.generate_report())


# ------------------------------------------------------------------------------------ the others
def _sam(words: list[str], whole: bool) -> None:
    _must(words[:1] in (["build"], ["deploy"], ["local"]), f"there is no sam {words[:1]}")
    if words[:2] != ["local", "invoke"] or (not whole and len(words) == 2):
        return
    verb = words[2].removesuffix("Function").lower()
    _must(f"{verb.title()}Function" == words[2], f"there is no function {words[2]}")
    _must((ROOT / "functions" / verb).is_dir(), f"there is no function {words[2]}")
    options = dict(zip(words[3::2], words[4::2], strict=True))
    _must(options.keys() == {"-e", "--config-env"}, f"expected -e and --config-env: {options}")
    event = options["-e"]
    _must(event == "-" or (ROOT / event).is_file(), f"there is no file {event}")
    section = f"[{options['--config-env']}.local_invoke.parameters]"
    _must(section in (ROOT / "samconfig.toml").read_text(), f"samconfig.toml has no {section}")


def _curl(words: list[str], whole: bool) -> None:
    """The control doors: the body is JSON, or a file that is there."""
    body = words[words.index("-d") + 1]
    if body.startswith("@"):
        _must((ROOT / body[1:]).is_file(), f"there is no file {body[1:]}")
    else:
        json.loads(body)
    _must(re.match(r"\$SLIPWAY_(TWIN|DOOR)/", words[-1]) is not None, "expected a control door")


def _sed(words: list[str], whole: bool) -> None:
    _must((ROOT / words[-1]).is_file(), f"there is no file {words[-1]}")


def _tool(words: list[str], whole: bool) -> None:
    """Tools of the development environment; the pins say that they are there."""


def _resource(words: list[str], whole: bool) -> None:
    """The runbook's own function: the physical name of a resource of the template."""
    template = (ROOT / "template.yaml").read_text()
    if words != ["$1"]:
        _must(f"\n  {words[0]}:\n" in template, f"the template has no {words[0]}")


def _must(holds: object, otherwise: object) -> None:
    if not holds:
        raise NotUnderstood(str(otherwise))


_PROGRAMS: Final[dict[str, Callable[[list[str], bool], None]]] = {
    "aws": _aws,
    # What a command before it has written.
    "cat": _tool,
    "curl": _curl,
    "make": _make,
    "operate": lambda words, whole: operate(words, whole=whole),
    "physical": _resource,
    "python": _python,
    "ruff": _tool,
    "sam": _sam,
    "sed": _sed,
    "uv": _tool,
}
