"""The connection pool."""

from typing import Any

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

POOL_MIN = 2
POOL_MAX = 10
CONNECT_TIMEOUT_SECONDS = 5


def create_engine(url: str, **options: Any) -> AsyncEngine:
    """An engine for a postgresql:// URL; `sslmode` in it is handed to asyncpg as `ssl`."""
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    arguments: dict[str, Any] = {"timeout": CONNECT_TIMEOUT_SECONDS}
    if mode := parsed.query.get("sslmode"):
        arguments["ssl"] = mode
    return create_async_engine(
        parsed.difference_update_query(["sslmode"]), connect_args=arguments, **options
    )


def create_pool(url: str) -> AsyncEngine:
    """Keep POOL_MIN connections and open no more than POOL_MAX; a dead one is replaced on use."""
    return create_engine(
        url, pool_size=POOL_MIN, max_overflow=POOL_MAX - POOL_MIN, pool_pre_ping=True
    )
