"""Slipway's settings. Nothing else reads environment variables."""

import os
from collections.abc import Mapping
from typing import Final

from slipway.domain.errors import Broken, Reason

_DEFAULTS: Final = {
    "SLIPWAY_CATALOG": "/opt/slipway_catalog.json",
    "SLIPWAY_PUBLIC_URL": "",
}


class Settings:
    """Environment variables set by template.yaml; Broken(SettingMissing) names a missing one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def _value(self, name: str) -> str:
        value = self._environment.get(name) or _DEFAULTS.get(name)
        if value is None:
            raise Broken(
                Reason.SETTING_MISSING,
                f"The environment variable {name} is not set; see Globals in template.yaml.",
            )
        return value

    @property
    def table_name(self) -> str:
        """The DynamoDB table that holds everything."""
        return self._value("SLIPWAY_TABLE")

    @property
    def bus_name(self) -> str:
        """The event bus of Slipway's own events."""
        return self._value("SLIPWAY_BUS")

    @property
    def state_machine_arn(self) -> str:
        """The deployment state machine."""
        return self._value("SLIPWAY_STATE_MACHINE_ARN")

    @property
    def catalog_path(self) -> str:
        """The compiled catalog."""
        return self._value("SLIPWAY_CATALOG")

    @property
    def link_secret_arn(self) -> str:
        """The secret whose ``link_key`` signs approval and status links."""
        return self._value("SLIPWAY_LINK_SECRET_ARN")

    @property
    def slack_secret_arn(self) -> str:
        """The secret with ``webhook_url``, or ``bot_token`` and ``channel``."""
        return self._value("SLIPWAY_SLACK_SECRET_ARN")

    @property
    def public_url(self) -> str:
        """The URL of the web function for people, without a trailing slash; may be empty."""
        return self._value("SLIPWAY_PUBLIC_URL").rstrip("/")

    @property
    def account(self) -> str:
        """The account that Slipway runs in; events of other accounts are ignored."""
        return self._value("SLIPWAY_ACCOUNT")

    @property
    def region(self) -> str:
        """The region that Slipway runs in."""
        return self._value("AWS_REGION")


def from_environment() -> Settings:
    """The settings of this process."""
    return Settings(os.environ)
