"""The notes resource: list the newest, add one."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, DateTime, Identity, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

router = APIRouter(prefix="/notes")


class Base(DeclarativeBase):
    """Holds the table definitions."""


class Note(Base):
    """One row of the table `notes`."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class NewNote(BaseModel):
    """What a caller sends."""

    text: str = Field(min_length=1, max_length=1000)


class NoteOut(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    text: str
    created_at: datetime


@router.get("")
async def list_notes(request: Request) -> list[NoteOut]:
    """The newest 50 notes, newest first."""
    async with AsyncSession(request.app.state.pool) as session:
        rows = await session.scalars(select(Note).order_by(Note.id.desc()).limit(50))
        return [NoteOut.model_validate(row) for row in rows]


@router.post("", status_code=201)
async def add_note(request: Request, new: NewNote) -> NoteOut:
    """Store a note and answer it with its number."""
    async with AsyncSession(request.app.state.pool, expire_on_commit=False) as session:
        note = Note(**new.model_dump())
        session.add(note)
        await session.commit()
        return NoteOut.model_validate(note)
