"""CloudFormation resources of which MiniStack leaves something out."""

import json
from collections.abc import Callable
from typing import Any

from cloud.ministack import private

Properties = dict[str, Any]

_SUFFIX = 7  # a secret's ARN ends with a hyphen and six characters


def install() -> None:
    """Create tables, functions and secrets with all that the template says of them."""
    _afterwards("AWS::DynamoDB::Table", _set_table)
    _afterwards("AWS::Lambda::Function", _set_function)
    private.replace("services.cloudformation.provisioners._sm_secret_string", _secret)
    _refer_to_secrets_by_arn()


def _afterwards(kind: str, finish: Callable[[str, Properties], None]) -> None:
    """Call something when a resource of this kind was created or updated."""
    handler = private.value("services.cloudformation.provisioners._RESOURCE_HANDLERS")[kind]
    plain = dict(handler)

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Any]:
        name, attributes = plain["create"](logical_id, properties, stack)
        finish(name, properties)
        return name, attributes

    def update(name: str, old: Properties, new: Properties, *more: Any) -> tuple[str, Any]:
        name, attributes = plain["update"](name, old, new, *more)
        finish(name, new)
        return name, attributes

    handler.update(create=create, update=update)


def _set_table(name: str, properties: Properties) -> None:
    for setting, function in (
        ("TimeToLiveSpecification", "_update_ttl"),
        ("PointInTimeRecoverySpecification", "_update_continuous_backups"),
    ):
        if setting in properties:
            request = {"TableName": name, setting: properties[setting]}
            private.function(f"services.dynamodb.{function}")(request)


def _set_function(name: str, properties: Properties) -> None:
    if "ReservedConcurrentExecutions" in properties:
        private.function("services.lambda_svc._put_function_concurrency")(name, properties)


def _secret(properties: Properties) -> str:
    """The declared value, or one that follows all the rules of GenerateSecretString."""
    rules = properties.get("GenerateSecretString")
    if not rules:
        return str(properties.get("SecretString", ""))
    _, _, body = private.function("services.secretsmanager._get_random_password")(rules)
    password = json.loads(body)["RandomPassword"]
    if "SecretStringTemplate" not in rules:
        return str(password)
    filled = {**json.loads(rules["SecretStringTemplate"]), rules["GenerateStringKey"]: password}
    return json.dumps(filled)


def _refer_to_secrets_by_arn() -> None:
    """`Ref` of a secret is its ARN, as policies expect it; MiniStack gives its name."""
    handlers = private.value("services.cloudformation.provisioners._RESOURCE_HANDLERS")
    plain = dict(handlers["AWS::SecretsManager::Secret"])

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Any]:
        _, attributes = plain["create"](logical_id, properties, stack)
        return attributes["Arn"], attributes

    def update(arn: str, *arguments: Any) -> tuple[str, Any]:
        _, attributes = plain["update"](_name(arn), *arguments)
        return attributes["Arn"], attributes

    def delete(arn: str, properties: Properties) -> None:
        plain["delete"](_name(arn), properties)

    handlers["AWS::SecretsManager::Secret"].update(create=create, update=update, delete=delete)


def _name(arn: str) -> str:
    return arn.rpartition(":secret:")[2][:-_SUFFIX]
