"""A template for `sam local invoke`: the deployed functions with their values filled in.

SAM resolves `!Ref Table` to the name of the resource, passes on only variables that the template
declares, and knows neither runtime nor architecture of the deployed stack. So the template is
written from what is deployed: every function with its real environment.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.standing.lock import DEFAULT

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".build" / "sam" / "slipway"
FOLDER = ROOT / ".build" / "invoke"
LAYERS = ("VendorLayer", "CoreLayer", "CatalogLayer")


def deployed(cloudformation: Any, functions: Any, stack: str) -> dict[str, dict[str, Any]]:
    """The configuration of every function of a stack, by logical id."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        found["LogicalResourceId"]: functions.get_function_configuration(
            FunctionName=found["PhysicalResourceId"]
        )
        for page in pages
        for found in page["StackResourceSummaries"]
        if found["ResourceType"] == "AWS::Lambda::Function"
    }


def template(
    configurations: Mapping[str, Mapping[str, Any]], settings: Mapping[str, str]
) -> dict[str, Any]:
    """The template; every function gets these settings beside its own variables."""
    functions = {
        logical_id: _function(logical_id, configuration, settings)
        for logical_id, configuration in configurations.items()
    }
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {**{name: _layer(name) for name in LAYERS}, **functions},
    }


def path(name: str) -> Path:
    """The template of a cloud's name; samconfig's `local` section looks for the default's."""
    return FOLDER / ("template.json" if name == DEFAULT else f"template-{name}.json")


def write(content: Mapping[str, Any], path: Path) -> None:
    """Put the template there; it carries the door's password, so only for its owner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2) + "\n")


def _layer(name: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Serverless::LayerVersion",
        "Properties": {"ContentUri": str(BUILT / name)},
    }


def _function(
    logical_id: str, configuration: Mapping[str, Any], settings: Mapping[str, str]
) -> dict[str, Any]:
    folder = logical_id.removesuffix("Function").lower()
    variables = configuration.get("Environment", {}).get("Variables", {})
    taken_over = ("Handler", "Runtime", "Architectures", "MemorySize", "Timeout", "LoggingConfig")
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            **{name: configuration[name] for name in taken_over},
            "CodeUri": str(ROOT / "functions" / folder),
            "Layers": [{"Ref": name} for name in LAYERS],
            "Environment": {"Variables": {**variables, **settings}},
        },
    }
