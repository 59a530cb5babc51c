"""How Alembic reaches the database: one transaction per migration, one migrator at a time."""

import asyncio
import logging.config
import sys

from alembic import context
from notes.database import create_engine
from notes.settings import SettingError, database_url
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

# Any fixed number: two migrators of one database meet at the same advisory lock.
MIGRATION_LOCK = 0x6E6F7465


def migrate(connection: Connection) -> None:
    """Run under the lock, and give up early rather than queue in front of the serving version."""
    connection.execute(text("select pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.execute(text("set lock_timeout = '5s'"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_online(url: str) -> None:
    """Connect, migrate, leave; closing the connection frees the lock."""
    engine = create_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


def preview() -> None:
    """Print the SQL instead of running it (`alembic upgrade head --sql`)."""
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    logging.config.fileConfig(context.config.config_file_name)
    if context.is_offline_mode():
        return preview()
    try:
        url = database_url()
    except SettingError as error:
        sys.exit(f"notes cannot migrate: {error}")
    if url is None:
        sys.exit("notes cannot migrate: neither DATABASE_URL nor DATABASE_SECRET is set")
    try:
        asyncio.run(migrate_online(url))
    except (SQLAlchemyError, OSError) as error:
        sys.exit(f"notes cannot migrate: {getattr(error, 'orig', error)}")


main()
