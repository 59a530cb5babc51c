"""What load balancers and deployments ask: is the process well, is its database?"""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """Answer for the process alone, so that a database outage does not restart every task."""
    return JSONResponse({"status": "ok", "version": request.app.state.settings.version})


@router.get("/health/db")
async def health_db(request: Request) -> JSONResponse:
    """Ask the database; 503 when it does not answer."""
    pool = request.app.state.pool
    if pool is None:
        return JSONResponse({"status": "unavailable", "reason": "no database is set"}, 503)
    try:
        async with pool.connect() as connection:
            await connection.execute(text("select 1"))
    except (SQLAlchemyError, OSError) as error:
        return JSONResponse({"status": "unavailable", "reason": type(error).__name__}, 503)
    return JSONResponse({"status": "ok", "version": request.app.state.settings.version})
