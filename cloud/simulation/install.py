"""Puts the simulated boundary under Slipway's own composition root."""

import functools
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from cloud.simulation.clients import Client
from cloud.simulation.lambdas import current
from cloud.simulation.outside import Session
from cloud.simulation.world import catalog
from slipway.adapters import items, website
from slipway.runtime import wiring
from slipway.runtime.observability import logger
from slipway.runtime.settings import Settings

if TYPE_CHECKING:
    from cloud.simulation.cloud import Cloud


class _Stage:
    """Which cloud the boundary leads to."""

    cloud: "Cloud"


_clients: dict[str, Client] = {}
_documents: dict[tuple[type[Any], str], Any] = {}


def document_of(item: Mapping[str, Any], model: type[Any]) -> Any:
    """The document of an item; documents cannot be changed, so one text is read once."""
    key = (model, item["document"]["S"])
    if key not in _documents:
        if len(_documents) > 5_000:
            _documents.clear()
        _documents[key] = model.model_validate_json(key[1])
    return _documents[key]


def install() -> None:
    """Replace what leads outside; everything built from it is kept per function instance."""
    logger.setLevel("CRITICAL")
    vars(items).update(document_of=document_of)
    # Virtual time has no threads; the bound on whole calls is tested with real sockets.
    vars(website).update(call_within=lambda seconds, call: call())
    for name, found in list(vars(wiring).items()):
        if hasattr(found, "cache_info") and name != "client":
            setattr(wiring, name, _per_instance(name, found.__wrapped__))
    vars(wiring).update(
        client=client,
        now=lambda: _Stage.cloud.clock.now(),
        catalog=catalog,
        settings=lambda: _settings(current().function.name),
        session=lambda: _SESSION,
        secrets=_per_instance("secrets", _secrets),
    )


def stage(cloud: "Cloud") -> None:
    """Let the boundary lead to this cloud."""
    _Stage.cloud = cloud
    logger.setLevel("CRITICAL")
    logger.handlers[:] = [one for one in logger.handlers if one is not _LISTENER] or _MUTED
    _MUTED.clear()


class _Listener(logging.Handler):
    """Keeps what the functions log with the cloud of the run."""

    def emit(self, record: logging.LogRecord) -> None:
        _Stage.cloud.logged.append(self.format(record))


_LISTENER = _Listener()
_MUTED: list[logging.Handler] = []


def listen() -> None:
    """Keep all that the functions log in this run; otherwise nothing is even written."""
    _MUTED[:] = logger.handlers
    _LISTENER.setFormatter(logger.handlers[0].formatter)
    logger.handlers[:] = [_LISTENER]
    logger.setLevel("DEBUG")


def client(name: str, place: wiring.Place = wiring.HERE) -> Client:
    """The one simulated client of a service; there is one place."""
    if name not in _clients:
        _clients[name] = Client(name, lambda: _Stage.cloud.calls)
    return _clients[name]


def _per_instance(name: str, build: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(build)
    def kept(*args: Any) -> Any:
        instance = current().instance
        key = (name, args)
        if key not in instance:
            instance[key] = build(*args)
        return instance[key]

    return kept


@functools.cache
def _settings(function: str) -> Settings:
    from cloud.simulation.template import template

    return Settings(template().functions[function].environment)


def _secrets() -> Any:
    from slipway.adapters.secrets import SecretsManagerSecrets

    clock, made = _Stage.cloud.clock, client("secretsmanager")
    return SecretsManagerSecrets(cast("Any", made), lambda: clock.elapsed)


_SESSION = Session(lambda *call: _Stage.cloud.calls.perform(*call))
