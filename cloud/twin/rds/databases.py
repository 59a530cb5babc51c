"""The port behind RDS: what can run, dump and restore a database server."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Server:
    """What an engine needs to know to run one database server."""

    instance_id: str
    database: str
    username: str
    password: str


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens."""

    address: str
    port: int


@dataclass(frozen=True)
class Dump:
    """A finished dump."""

    size_bytes: int


@dataclass(frozen=True)
class EngineFailure:
    """Why the engine could not do it."""

    reason: str


class DatabaseEngine(Protocol):
    """The servers behind the model; `done` is called once, under the twin's lock, maybe at once."""

    def create(self, server: Server, done: Callable[[Endpoint | EngineFailure], None]) -> None: ...

    def dump(
        self, instance_id: str, snapshot_id: str, done: Callable[[Dump | EngineFailure], None]
    ) -> None: ...

    def restore(
        self, snapshot_id: str, server: Server, done: Callable[[Endpoint | EngineFailure], None]
    ) -> None: ...

    def delete(self, instance_id: str) -> None: ...

    def forget(self, snapshot_id: str) -> None: ...


class ScriptedDatabases:
    """An engine without servers: everything succeeds at once. For simulated runs."""

    def create(self, server: Server, done: Callable[[Endpoint | EngineFailure], None]) -> None:
        done(Endpoint(f"{server.instance_id}.rds.amazonaws.com", 5432))

    def dump(
        self, instance_id: str, snapshot_id: str, done: Callable[[Dump | EngineFailure], None]
    ) -> None:
        done(Dump(size_bytes=8192))

    def restore(
        self, snapshot_id: str, server: Server, done: Callable[[Endpoint | EngineFailure], None]
    ) -> None:
        self.create(server, done)

    def delete(self, instance_id: str) -> None:
        """Nothing runs."""

    def forget(self, snapshot_id: str) -> None:
        """Nothing is kept."""
