"""Secrets of a container, looked up where the other AWS services answer."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


class SecretError(Exception):
    """A secret could not be read; the message is ECS's own."""


class Secrets:
    """Resolves a `valueFrom`: a Secrets Manager ARN, or an SSM parameter's name or ARN.

    The clients are boto3 clients of `secretsmanager` and `ssm`.
    """

    def __init__(self, secrets_manager: Any, ssm: Any) -> None:
        self._secrets_manager = secrets_manager
        self._ssm = ssm

    def __call__(self, value_from: str) -> str:
        """The secret's value; SecretError if it cannot be read."""
        try:
            if ":secretsmanager:" in value_from:
                return self._secret(value_from)
            return self._parameter(value_from)
        except (BotoCoreError, ClientError, KeyError, ValueError) as cause:
            raise SecretError(_words(value_from, cause)) from cause

    def _secret(self, value_from: str) -> str:
        # arn:aws:secretsmanager:region:account:secret:name[:json-key[:stage[:version]]]
        parts = value_from.split(":")
        arn = ":".join(parts[:7])
        answer = self._secrets_manager.get_secret_value(SecretId=arn)
        text: str = answer["SecretString"]
        key = parts[7] if len(parts) > 7 else ""
        return str(json.loads(text)[key]) if key else text

    def _parameter(self, value_from: str) -> str:
        name = value_from.partition(":parameter")[2] or value_from
        answer = self._ssm.get_parameter(Name=name, WithDecryption=True)
        return str(answer["Parameter"]["Value"])


def no_secrets(value_from: str) -> str:
    """The resolver of a twin that stands alone."""
    raise SecretError(_words(value_from, "the twin has no --endpoint-url to ask"))


def _words(value_from: str, cause: object) -> str:
    return (
        "ResourceInitializationError: unable to pull secrets or registry auth: "
        f"unable to retrieve secret {value_from}: {cause}"
    )
