"""A release gone wrong: the health answer reads a setting that nothing provides."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """Always 500: the setting `region` never existed."""
    settings = request.app.state.settings
    if not hasattr(settings, "region"):
        return JSONResponse({"status": "error", "reason": "no setting 'region'"}, 500)
    return JSONResponse({"status": "ok", "version": settings.version, "region": settings.region})


@router.get("/health/db")
async def health_db(request: Request) -> JSONResponse:
    """Ask the database."""
    async with request.app.state.pool.connect() as connection:
        await connection.execute(text("select 1"))
    return JSONResponse({"status": "ok", "version": request.app.state.settings.version})
