"""The service's resources: none before the first schema."""

from fastapi import APIRouter

router = APIRouter()
