"""The web application: routes, CORS and the life of the connection pool."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware

from notes import health, resources
from notes.database import create_pool
from notes.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """Build the application; the database is first asked when a request needs it."""
    app = FastAPI(title="notes", version=settings.version, lifespan=_close_pool)
    app.state.settings = settings
    app.state.pool = create_pool(settings.database_url) if settings.database_url else None
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    app.add_api_route("/", _index)
    app.include_router(health.router)
    app.include_router(resources.router)
    return app


async def _index(request: Request) -> dict[str, str]:
    return {"service": "notes", "version": request.app.state.settings.version}


@asynccontextmanager
async def _close_pool(app: FastAPI) -> AsyncIterator[None]:
    yield
    if app.state.pool is not None:
        await app.state.pool.dispose()
