"""A template for `sam local invoke`: the deployed functions with their values filled in.

SAM resolves `!Ref Table` to the name of the resource, passes on only variables that the template
declares, and knows neither runtime nor architecture of the deployed stack. So the template is
written from what is deployed: every function with its real environment.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / ".build" / "sam" / "slipway"
PATH = ROOT / ".build" / "invoke" / "template.json"
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


def write(content: Mapping[str, Any]) -> None:
    """Put the template where samconfig's `local` section looks for it."""
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(content, indent=2) + "\n")


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
