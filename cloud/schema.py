"""Which schema revision a database of the embedded cloud is at."""

import subprocess

from cloud.embedded import APP_BIN, Cloud
from slipway.domain.catalog import Environment

_ASK = """
import asyncio, sys, asyncpg
async def ask(host, port):
    connection = await asyncpg.connect(host=host, port=int(port), user="notes",
        password="not-a-secret-here", database="notes")
    print(await connection.fetchval("select version_num from alembic_version"))
asyncio.run(ask(*sys.argv[1:]))
"""


def schema_revision(cloud: Cloud, environment: Environment) -> str:
    """Alembic's revision of the environment's database."""
    if environment.database is None:
        return "none"
    described = cloud.client("rds").describe_db_instances(
        DBInstanceIdentifier=environment.database.identifier
    )
    endpoint = described["DBInstances"][0]["Endpoint"]
    command = [str(APP_BIN / "python"), "-c", _ASK, endpoint["Address"], str(endpoint["Port"])]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return answer.stdout.strip()
