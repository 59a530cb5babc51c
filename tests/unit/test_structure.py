"""The code is laid out as the architecture says: who imports whom, and where a step lives."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.waits import WAITS
from tests.unit.stack import EVENTS, functions, machine, resources

ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers" / "core"
SLIPWAY = CORE / "slipway"
MODULES = sorted(SLIPWAY.rglob("*.py"))
APPS = sorted((ROOT / "functions").glob("*/app.py"))
BESIDE_THE_PRODUCT = [
    path
    for room in ("cloud", "demo", "examples", "packing", "tests")
    for path in sorted((ROOT / room).rglob("*.py"))
]
STDLIB = sys.stdlib_module_names

SDKS = {"boto3", "botocore", "requests", "urllib3", "slack_sdk", "mypy_boto3", "pydantic"}
_WORDS = ("slipway.domain", "slipway.ports")
# A place, what of ours it may import, and which libraries.
MAY_IMPORT = {
    "domain": (("slipway.domain",), {"pydantic"}),
    "ports": (("slipway.domain", "slipway.ports"), set[str]()),
    "journal": (_WORDS, set[str]()),
    "waits": (("slipway.domain",), set[str]()),
    "steps": ((*_WORDS, "slipway.journal", "slipway.waits", "slipway.steps"), {"pydantic"}),
    # What starts an execution has its first request, and nothing else, in common with the steps.
    "requests": (
        (*_WORDS, "slipway.journal", "slipway.requests", "slipway.steps.step"),
        {"pydantic"},
    ),
    "notices": ((*_WORDS, "slipway.journal", "slipway.notices"), {"pydantic"}),
    "chores": (
        (
            *_WORDS,
            "slipway.journal",
            "slipway.waits",
            "slipway.chores",
            "slipway.requests",
            "slipway.steps",
        ),
        {"pydantic"},
    ),
    "adapters": (("slipway.domain", "slipway.ports", "slipway.adapters"), SDKS),
    "slack": ((*_WORDS, "slipway.slack"), {"requests", "urllib3", "pydantic"}),
    "catalog_build": (
        ("slipway.domain", "slipway.catalog_build", "slipway.runtime.catalog"),
        {"pydantic", "ruamel", "yaml"},
    ),
}
FUNCTIONS_MAY_IMPORT = (
    "slipway.steps",
    "slipway.requests",
    "slipway.chores",
    "slipway.notices",
    "slipway.runtime",
    "slipway.domain.errors",
    "slipway.domain.reasons",
    # The one router is code of its own, and its function only hands the request on.
    "slipway.web",
)
STEPS = [
    "plan",
    "check",
    "approve",
    "enter",
    "backup",
    "migrate",
    "deploy",
    "verify",
    "rollback",
    "settle",
]
# These are started by events, by the stream and by people, not by the state machine.
BESIDE_THE_MACHINE = ["admit", "notify", "sweep", "web"]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file it does, types included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            # `from slipway.runtime import wiring` imports a module, not a name.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(path: Path) -> str:
    return path.relative_to(SLIPWAY).with_suffix("").parts[0]


def allowed(module: str, ours: tuple[str, ...], libraries: set[str]) -> bool:
    top = module.partition(".")[0]
    if top == "slipway":
        return any(module == one or module.startswith(f"{one}.") for one in ours)
    return top in STDLIB or any(top == one or top.startswith(f"{one}_") for one in libraries)


@pytest.mark.parametrize("where", MAY_IMPORT)
def test_the_arrows_of_the_architecture_point_one_way(where: str) -> None:
    ours, libraries = MAY_IMPORT[where]
    files = [path for path in MODULES if place(path) == where]

    assert files != []
    assert [
        f"{path.name}: {module}"
        for path in files
        for module in imported(path)
        if not allowed(module, ours, libraries)
    ] == []


def test_functions_know_steps_and_runtime_only() -> None:
    assert [
        f"{path.parent.name}: {module}"
        for path in APPS
        for module in imported(path)
        if not allowed(module, FUNCTIONS_MAY_IMPORT, {"aws_lambda_powertools"})
    ] == []


def test_nothing_but_the_composition_root_and_the_functions_knows_the_runtime() -> None:
    knowing = {
        place(path)
        for path in MODULES
        for module in imported(path)
        if module.startswith("slipway.runtime") and module != "slipway.runtime.catalog.FILE_NAME"
    }

    assert knowing <= {"runtime", "web", "catalog_build"}


def test_the_pages_are_known_to_nobody_below_them() -> None:
    knowing = {
        place(path)
        for path in MODULES
        for module in imported(path)
        if module.startswith("slipway.web.")
    }

    assert knowing == {"web"}


def test_a_destination_is_known_to_the_composition_root_alone() -> None:
    knowing = {
        ".".join(path.relative_to(SLIPWAY).with_suffix("").parts)
        for path in MODULES
        if place(path) != "slack"
        for module in imported(path)
        if module.startswith("slipway.slack.")
    }

    assert knowing == {"runtime.wiring"}


def test_only_settings_reads_the_environment() -> None:
    reading = [
        str(path.relative_to(ROOT))
        for path in [*MODULES, *APPS]
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"))
        or (isinstance(node, ast.Name) and node.id in ("environ", "getenv"))
    ]

    assert set(reading) == {"layers/core/slipway/runtime/settings.py"}


# Time, chance and waiting come from outside; the adapters and the composition root are outside.
FROM_OUTSIDE = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "sleep", "monotonic"},
    "uuid": {"uuid4", "uuid1"},
    "random": {"random", "choice", "randint"},
}


def test_time_and_chance_come_in_as_arguments() -> None:
    taken = [
        f"{path.relative_to(ROOT)}: {node.value.id}.{node.attr}"
        for path in MODULES
        if place(path) not in ("adapters", "runtime", "operate", "catalog_build")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.attr in FROM_OUTSIDE.get(node.value.id, ())
    ]

    assert taken == []


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "manager", "base", "misc"])
def test_no_module_is_named_for_nothing(name: str) -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in [*MODULES, *BESIDE_THE_PRODUCT]
        # The example program's layers are called so: `base`, and a version over it.
        if "examples" not in path.relative_to(ROOT).parts
        if name in (path.stem, path.parent.name)
    ]

    assert named == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in [*MODULES, *APPS]
        if not (ast.get_docstring(tree(path)) or "").strip()
    ]

    assert silent == []


def test_no_port_is_offered_that_no_step_uses() -> None:
    """A method of a port is there because a step calls it; a fake would have to keep it too."""
    rooms = ("steps", "requests", "chores", "notices", "web", "runtime", "journal")
    users = [path for path in MODULES if place(path) in rooms]
    used = {
        node.attr
        for path in users
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
    }
    offered = {
        f"{port.name}.{method.name}"
        for file in (SLIPWAY / "ports").glob("*.py")
        for port in tree(file).body
        if isinstance(port, ast.ClassDef)
        if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in port.bases)
        for method in port.body
        if isinstance(method, ast.FunctionDef)
    }

    assert {name for name in offered if name.partition(".")[2] not in used} == set()


def public(path: Path) -> set[str]:
    return {node.name for node in tree(path).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("verb", STEPS)
def test_one_word_joins_the_places_where_a_step_lives(verb: str) -> None:
    state, resource = verb.capitalize(), f"{verb.capitalize()}Function"
    app = ROOT / "functions" / verb / "app.py"
    properties = resources("AWS::Serverless::StateMachine")["DeploymentStateMachine"]

    assert "lambda_handler" in public(app)
    assert verb in public(SLIPWAY / "steps" / f"{verb}.py")
    assert f"slipway.steps.{verb}.{verb}" in set(imported(app))
    assert functions()[verb]["CodeUri"] == f"functions/{verb}"
    assert properties["DefinitionSubstitutions"][f"{resource}Arn"] == {
        "Fn::GetAtt": [resource, "Arn"]
    }
    called = str(machine()["States"][state])
    assert f"${{{resource}Arn}}" in called
    assert verb in EVENTS


@pytest.mark.parametrize("verb", [wait.step for wait in WAITS])
def test_a_waiting_step_is_parked_under_its_own_name(verb: str) -> None:
    steps = [
        keyword.value.value
        for node in ast.walk(tree(ROOT / "functions" / verb / "app.py"))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Step"
        for keyword in node.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)
    ]

    assert steps == [verb]


@pytest.mark.parametrize("verb", BESIDE_THE_MACHINE)
def test_every_other_function_has_its_folder_and_its_samples(verb: str) -> None:
    assert (ROOT / "functions" / verb / "app.py").is_file()
    if verb not in {name.partition("-")[0] for name in EVENTS}:
        pytest.skip(f"events/ has no sample for {verb} yet")


def test_there_is_no_function_beside_the_named_ones() -> None:
    assert sorted(path.parent.name for path in APPS) == sorted([*STEPS, *BESIDE_THE_MACHINE])
    assert {name.partition("-")[0] for name in EVENTS} <= {*STEPS, *BESIDE_THE_MACHINE}


def test_a_functions_folder_holds_its_handler_only() -> None:
    """Two files would need an import that works in Lambda or in tests, but not in both."""
    found = {
        str(path.relative_to(ROOT / "functions"))
        for path in (ROOT / "functions").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert found == {f"{path.parent.name}/app.py" for path in APPS}


IMPORT_ALL = """
import importlib.util, sys
import botocore.session

def refuse(*args, **named):
    raise SystemExit("a client is created at import")

botocore.session.Session.create_client = refuse
for number, path in enumerate(sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(f"app_{number}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    print(module.lambda_handler.__name__)
# Wiring loads what calls AWS when it is asked for it: the rest is a part of every cold start.
print(*sorted(name for name, one in sys.modules.items() if hasattr(one, "PERMISSIONS")))
"""


def test_every_handler_is_imported_with_an_empty_environment_no_client_and_no_adapter() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *map(str, APPS)],
        env={"PYTHONPATH": os.fspath(CORE), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [*["lambda_handler"] * len(APPS), ""]


# A room, and the rooms that it stands on.
ROOMS_STAND_ON = {
    "packing": ("packing", "slipway"),
    "examples": ("examples",),
    "cloud": ("cloud", "examples", "packing", "slipway"),
    "demo": ("demo", "cloud", "examples", "packing", "slipway"),
}


@pytest.mark.parametrize("room", ROOMS_STAND_ON)
def test_no_room_beside_the_product_imports_upward(room: str) -> None:
    ours = {"slipway", "tests", "functions", *ROOMS_STAND_ON}
    files = [path for path in BESIDE_THE_PRODUCT if path.relative_to(ROOT).parts[0] == room]

    assert files != []
    assert [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files
        for module in imported(path)
        if module.partition(".")[0] in ours - set(ROOMS_STAND_ON[room])
    ] == []


def _module_of(path: Path) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(CORE if path.is_relative_to(CORE) else ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _imports() -> dict[str, set[str]]:
    """What every module imports of ours when it runs; imports for types alone make no circle."""
    ours = [path for path in BESIDE_THE_PRODUCT if "tests" not in path.relative_to(ROOT).parts]
    files = {_module_of(path): path for path in [*MODULES, *ours]}
    return {name: {one for one in _run_by(path) if one in files} for name, path in files.items()}


def _run_by(path: Path) -> Iterator[str]:
    code = tree(path)
    for_types = {
        part
        for node in ast.walk(code)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for part in ast.walk(node)
    }
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and node not in for_types:
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = _imports()
    # What imports nothing that is left is in no circle.
    while free := {name for name, used in left.items() if not used & left.keys() - {name}}:
        left = {name: used for name, used in left.items() if name not in free}

    assert sorted(left) == []
