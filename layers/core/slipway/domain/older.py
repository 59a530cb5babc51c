"""Deployments that Slipway 0.1.0 stored, in the shape of today.

Its progress was a list of flat facts, and its plan was inside. A deployment can wait for days for
an approval, so an upgrade of Slipway meets old documents in the middle of their story. They are
converted when they are read; nothing rewrites the table.
"""

from typing import Any, Final

from slipway.domain.plan import stored_plan_hash

_SCHEMA_TASKS: Final = ("migration", "downgrade", "current")
# What a success was recorded as; the end of a failure was not always recorded.
_SUCCESSES: Final = {"migration": "migrated_at", "downgrade": "downgraded_at"}
_KEPT: Final = (
    "acting",
    "ending_since",
    "awaited",
    "schema_unmoved_at",
    "verified_at",
    "rolled_back_at",
)

Document = dict[str, Any]


def is_older(deployment: Document) -> bool:
    """Whether a stored deployment is one of 0.1.0: its plan was inside, or not yet made."""
    return "plan" in deployment and "plan_hash" not in deployment


def upgrade(deployment: Document) -> Document:
    """The document of a deployment as this Slipway would have stored it."""
    flat, plan = deployment.get("progress") or {}, deployment.get("plan")
    settings = plan["settings"] if plan else None
    known = {**deployment, "progress": _progress(flat, settings)}
    if plan is None or settings is None:
        return known
    migrates = _database_id(plan, settings) if plan["needs_migration"] else None
    return {**known, "plan_hash": stored_plan_hash(plan), "migrates": migrates}


def _database_id(plan: Document, settings: Document) -> str:
    database = settings.get("database")
    if database is None:
        return f"lane:{plan['application']}/{plan['environment']}"
    return f"rds:{database['identifier']}"


def _progress(flat: Document, settings: Document | None) -> Document:
    kept = {name: flat[name] for name in _KEPT if flat.get(name) is not None}
    tasks = {name: _schema_task(flat, name) for name in _SCHEMA_TASKS}
    progress = {**kept, "looks": _looks(flat), "schema_tasks": _present(tasks)}
    if settings is None:
        return progress
    service = settings["target"]["service"]
    services = {service: _service(flat)}
    return {**progress, "backups": _backups(flat, settings), "services": _present(services)}


def _looks(flat: Document) -> Document:
    looks = {"failed": flat.get("failed_looks", 0), "verdict": flat.get("found_wanting")}
    names = ("healthy_since", "moving_since", "was_emptied")
    return looks | {name: flat[name] for name in names if name in flat}


def _backups(flat: Document, settings: Document) -> Document:
    requested, available = flat.get("snapshot_requested_at"), flat.get("snapshot_available_at")
    database = settings.get("database")
    if requested is None or database is None:
        return {}
    backup = {
        "requested_at": requested,
        "handle": flat.get("snapshot_id"),
        "put_off_by": flat.get("snapshot_put_off_by"),
        **_end(available, succeeded=available is not None),
    }
    return {_database_id({}, settings): backup}


def _schema_task(flat: Document, name: str) -> Document | None:
    requested = flat.get(f"{name}_requested_at")
    if requested is None:
        return None
    success = flat.get(_SUCCESSES.get(name, ""))
    return {
        "requested_at": requested,
        "start": flat.get(f"{name}_start"),
        "handle": flat.get(f"{name}_task_arn"),
        **_end(flat.get(f"{name}_ended_at") or success, succeeded=success is not None),
    }


def _service(flat: Document) -> Document:
    deployed = flat.get("ecs_deployment_id")
    # When the rollout was complete was not stored; that it was, is what later looks go by.
    rollout = _effect(flat, "deploy_requested_at", deployed)
    if rollout is not None and deployed is not None:
        rollout |= _end(flat["deploy_requested_at"], succeeded=True)
    effects = {
        "revision": _effect(flat, "revision_requested_at", flat.get("revision_arn")),
        "rollout": rollout,
        "return_revision": _effect(flat, "way_back_requested_at", flat.get("way_back_arn")),
        "rollback": _effect(flat, "rollback_requested_at", None),
    }
    return _present(effects)


def _effect(flat: Document, requested: str, handle: str | None) -> Document | None:
    if flat.get(requested) is None:
        return None
    return {"requested_at": flat[requested], "handle": handle}


def _end(at: str | None, *, succeeded: bool) -> Document:
    return {} if at is None else {"ended_at": at, "succeeded": succeeded}


def _present(found: Document) -> Document:
    """What there is something to say of."""
    return {name: one for name, one in found.items() if one}
