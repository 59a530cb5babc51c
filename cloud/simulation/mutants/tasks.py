"""Seeded design bugs of one-off tasks, labels, logs, databases and sites that answer oddly."""

from cloud.simulation.mutants.mutant import Mutant, edit

TASKS = (
    Mutant(
        "no room for now is a refusal for good",
        (
            edit(
                "adapters.ecs.capacity:placement_error",
                'if failures and all(_is_temporary(one.get("reason", "")) for one in failures):',
                "if False:",
            ),
        ),
        ("no-room-once",),
    ),
    Mutant(
        "a start without an answer has started nothing",
        (
            edit(
                "domain.start:Start.nothing_began",
                "(self.at is None and self.unanswered == 0)",
                "self.at is None",
            ),
        ),
        ("cancel@Migrate|migrate/ecs/RunTask/1=lost",),
    ),
    Mutant(
        "a migration that never ran is taken back",
        (edit("steps.schema_end:_write_end", "if seen.never_ran:", "if False:"),),
        ("never-starts",),
    ),
    Mutant(
        "a task without an exit code never ran",
        (
            edit(
                "adapters.ecs.one_offs:_one_off",
                'stopped and task.get("stopCode") == "TaskFailedToStart" and untouched',
                'stopped and "exitCode" not in ours',
            ),
        ),
        ("host-lost",),
    ),
    Mutant(
        "what runs beside a command that has ended runs on",
        (edit("steps.schema_end:_write_end", "if seen.leftover:", "if False:"),),
        ("beside", "beside-fails"),
    ),
    Mutant(
        "the rest of a task is left to the look that saw its command end",
        (
            edit(
                "steps.migrate:migrate",
                "stop_leftovers(deployment, journal, one_offs)",
                "deployment",
            ),
        ),
        ("beside|migrate/ecs/StopTask/1=throttle;event/Look Again/1=duplicate",),
        seeds=40,
    ),
    Mutant(
        "a rollback that waits for room is not asked about again",
        (edit("steps.rollback:keys", "deployment_key(request.deployment_id),", ""),),
        ("no-room-back",),
    ),
    Mutant(
        "a schema of which nothing is said has stayed",
        (
            edit(
                "steps.schema_current:_judge_answer",
                "if not is_at_revision(said, before, other):",
                "if False:",
            ),
        ),
        ("schema-unsaid", "schema-moved"),
    ),
    Mutant(
        "what the schema's tool says is not read",
        (
            edit(
                "steps.schema_current:_judge_answer",
                "if not is_at_revision(said, before, other):",
                "if True:",
            ),
        ),
        ("schema-stayed",),
    ),
    Mutant(
        "secrets in a task's log are kept",
        (
            edit(
                "adapters.ecs.log_tail:_line",
                "redact(plain(message, _READ))",
                "plain(message, _READ)",
            ),
        ),
        ("hostile-log",),
    ),
    Mutant(
        "two blank labels are one schema",
        (
            edit(
                "domain.release:label_name", "name if re.fullmatch(SCHEMA, name) else None", "name"
            ),
        ),
        ("blank-schema",),
    ),
    Mutant(
        "labels are kept as they come",
        (
            edit(
                "domain.release:known_labels",
                "plain(labels[name], _LONGEST)",
                "labels[name]",
            ),
        ),
        ("forged-version",),
    ),
    Mutant(
        "an older schema is deployed over a newer one",
        (
            edit(
                "domain.preflight:older_schema",
                "if live is None or not lane.has_left(image, now):",
                "if True:",
            ),
        ),
        ("older-schema",),
    ),
    Mutant(
        "a database is not looked at before anything changes",
        (edit("steps.plan:_refusals", "if unfit is not None:", "if False:"),),
        ("database-stopped",),
    ),
    Mutant(
        "a busy database is a broken one",
        (edit("adapters.rds.snapshots:state_error", "if remedy:", "if True:"),),
        ("database-busy",),
    ),
    Mutant(
        "the snapshot of a cluster is looked for among those of instances",
        (
            edit(
                "adapters.databases:DatabasesByKind.snapshot",
                "self._clusters.snapshot",
                "self._instances.snapshot",
            ),
        ),
        ("promotion",),
    ),
    Mutant(
        "the checks are not asked before anything changes",
        (
            edit(
                "steps.check:check",
                "(*judged, _live_checks_gate(deployment, lane, website))",
                "judged",
            ),
        ),
        ("login-page",),
    ),
    Mutant(
        "any page that a check is led to will do",
        (
            edit(
                "domain.binding:_redirect_problem",
                "if not answer.answered_by or led_to in (asked, check.redirects_to):",
                "if True:",
            ),
        ),
        ("login-page",),
    ),
    Mutant(
        "a version that is not found is no wrong one",
        (edit("domain.reported:wrong_version", "if reported != version:", "if False:"),),
        ("others-page", "nested-version"),
    ),
    Mutant(
        "no task is as good as a healthy one",
        (
            edit("domain.binding:judge_count", "if wanted == 0:", "if False:"),
            edit("steps.verify:_has_no_task_serving", "return moving and (", "return ("),
        ),
        ("scaled-to-0",),
    ),
    Mutant(
        "a service without tasks speaks against its release",
        (
            edit(
                "steps.verify:verify",
                "not _has_no_task_serving(deployment, rollout, tasks)",
                "True",
            ),
        ),
        ("scaled-to-0-and-back",),
    ),
    Mutant(
        "a world that moves counts against the release",
        (edit("steps.verify:_decide", "if judgement.verdict is Verdict.MOVING:", "if False:"),),
        ("scaled-out", "scaled-to-0-and-back"),
    ),
    Mutant(
        "a last good image that is gone is a way back",
        (
            edit(
                "steps.check:_rollback_verdict",
                "registry.status(stable.repository, stable.digest)",
                "plan.image",
            ),
        ),
        ("way-back-expired",),
    ),
)
