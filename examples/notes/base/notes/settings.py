"""The only reader of the environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from notes.required import REQUIRED_SETTINGS


class SettingError(Exception):
    """A setting is missing or cannot be used; the text says which and what was expected."""


@dataclass(frozen=True)
class Settings:
    """What the service needs to know before it starts."""

    host: str
    port: int
    version: str
    database_url: str | None
    cors_origins: tuple[str, ...]
    access_log: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Raise SettingError naming the first setting that is missing or wrong."""
        for name in REQUIRED_SETTINGS:
            if not env.get(name):
                raise SettingError(f"the environment variable {name} is not set")
        return cls(
            host=env.get("HOST", "0.0.0.0"),
            port=_port(env.get("PORT", "8000")),
            version=env.get("APP_VERSION", "unknown"),
            database_url=database_url(env),
            cors_origins=tuple(filter(None, env.get("CORS_ORIGINS", "").split(","))),
            access_log=env.get("ACCESS_LOG", "off") == "on",
        )


def database_url(env: Mapping[str, str] = os.environ) -> str | None:
    """DATABASE_URL, or a URL built from the JSON of an RDS secret in DATABASE_SECRET."""
    if url := env.get("DATABASE_URL"):
        return url
    if secret := env.get("DATABASE_SECRET"):
        return _url_from_secret(secret, env)
    return None


def _url_from_secret(secret: str, env: Mapping[str, str]) -> str:
    """A secret that RDS manages has no host, port or dbname: the environment adds them."""
    try:
        parts = json.loads(secret)
        user, password = quote(parts["username"], safe=""), quote(parts["password"], safe="")
        host = parts.get("host") or env["DATABASE_HOST"]
    except (ValueError, KeyError, TypeError) as error:
        raise SettingError(
            "DATABASE_SECRET must be a JSON object with username and password, and host in it or in"
            f" DATABASE_HOST ({error!r})"
        ) from error
    port = parts.get("port") or env.get("DATABASE_PORT", "5432")
    name = parts.get("dbname") or env.get("DATABASE_NAME", "postgres")
    return f"postgresql://{user}:{password}@{host}:{port}/{name}"


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SettingError(f"PORT is {text!r}, expected a number from 1 to 65535")
    return int(text)
