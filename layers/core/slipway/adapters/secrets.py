"""Secrets Manager: JSON secrets, cached for five minutes; no message contains their values."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from slipway.adapters.errors import aws_errors
from slipway.domain.errors import Broken, Reason

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

PERMISSIONS: Final = ("secretsmanager:GetSecretValue",)

# A warm process sees a rotated secret after this time.
_CACHE_SECONDS: Final = 300.0
# As long as the SHA-256 digest of the HMAC; template.yaml generates 48 characters.
_KEY_LENGTH: Final = 32


class SecretsManagerSecrets:
    """Secrets as JSON objects, with a cache."""

    def __init__(
        self, client: "SecretsManagerClient", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._cached: dict[str, tuple[float, dict[str, str]]] = {}

    def json(self, arn: str) -> dict[str, str]:
        """The secret's fields; Broken when it is not a JSON object of strings."""
        cached = self._cached.get(arn)
        if cached is not None and self._clock() - cached[0] < _CACHE_SECONDS:
            return cached[1]
        fields = self._read(arn)
        self._cached[arn] = (self._clock(), fields)
        return fields

    def _read(self, arn: str) -> dict[str, str]:
        with aws_errors():
            answer = self._client.get_secret_value(SecretId=arn)
        try:
            fields = json.loads(answer.get("SecretString", ""))
        except json.JSONDecodeError:
            fields = None
        if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
            message = f"The secret {arn} is not a JSON object of strings."
            raise Broken(Reason.SETTING_MISSING, message)
        return fields


def required_field(fields: dict[str, str], name: str, secret: str) -> str:
    """One field of a secret; Broken when it is missing or empty."""
    value = fields.get(name)
    if not value:
        raise Broken(Reason.SETTING_MISSING, f"The {secret} secret has no '{name}'.")
    return value


def signing_key(fields: dict[str, str]) -> str:
    """The key that signs links; Broken when it is too short to be safe."""
    key = required_field(fields, "link_key", "link")
    if len(key) < _KEY_LENGTH:
        message = f"The 'link_key' of the link secret is shorter than {_KEY_LENGTH} characters."
        raise Broken(Reason.SETTING_MISSING, message)
    return key
