"""Seeded design bugs of pushes and requests, of the sweep's second look and of Slack's answers."""

from cloud.simulation.mutants.mutant import Mutant, deaths, edit


def always(site: str, kind: str, times: int = 40) -> str:
    """The same fault at every call of one kind."""
    return ";".join(f"{site}/{number}={kind}" for number in range(1, times + 1))


REQUESTS = (
    Mutant(
        "what was pushed once is never pushed again",
        (
            edit(
                "domain.door:is_same_push",
                "return pushed_at <= before.requested_at and not overtaken",
                "return True",
            ),
        ),
        ("pushed-again", "moved-back"),
    ),
    Mutant(
        "a push after the same digest was live is a redelivery",
        (
            edit(
                "domain.door:is_same_push",
                "pushed_at <= before.requested_at and not overtaken",
                "pushed_at <= before.requested_at or overtaken",
            ),
        ),
        ("moved-back",),
    ),
    Mutant(
        "every event of a pushed digest starts it again",
        (
            edit(
                "requests.admit:_may_be_another_push",
                'wish.event_id not in ("", first.event_id)',
                "True",
            ),
            edit(
                "domain.door:is_same_push",
                "return True",
                "return False",
                "return pushed_at <= before.requested_at and not overtaken",
                "return False",
            ),
            edit("domain.door:refuse_repeated", "stable.digest == digest", "stable.digest == ''"),
        ),
        ("within-a-second", "late-push"),
    ),
    Mutant(
        "whatever is pushed is a container image",
        (edit("requests.image_check:check_image", "if what is not None:", "if False:"),),
        ("chart-while-waiting",),
    ),
    Mutant(
        "what a busy registry does not tell is a container image",
        (
            edit(
                "requests.image_check:_find_pushed",
                "if wish.origin is not Origin.REQUEST:",
                "if False:",
            ),
        ),
        ("chart-while-waiting|admit/ecr/DescribeImages/2=throttle",),
    ),
    Mutant(
        "a signature with an image's configuration is an image",
        (edit("adapters.artifacts:artifact_in", "if config == _EMPTY or (", "if False and ("),),
        ("signature-while-waiting",),
    ),
    Mutant(
        "a request takes the place of what waits",
        (edit("requests.admit:_judge", "if wish.explicit and not wish.replace:", "if False:"),),
        ("request-over-waiting",),
    ),
    Mutant(
        "a request never takes the place of what waits",
        (edit("requests.admit:_judge", "if wish.explicit and not wish.replace:", "if True:"),),
        ("request-replaces",),
    ),
    Mutant(
        "a request for what waits starts a second deployment",
        (
            edit(
                "requests.admit:_judge",
                "if newest is not None and door.is_serving(newest, digest, wish.schema_at):",
                "if False:",
            ),
        ),
        ("request-served",),
    ),
    Mutant(
        "a refused request leaves no answer",
        (edit("requests.admit:_write_refusal", "records.write([], admission=answer)", "pass"),),
        ("request-over-waiting",),
    ),
    Mutant(
        "pushes are ordered by the second that their events tell",
        (
            edit(
                "requests.image_check:check_image",
                "if abs(pushed.pushed_at - wish.release.pushed_at) > _SAME_PUSH:",
                "if True:",
            ),
        ),
        ("within-a-second",),
    ),
    Mutant(
        "tags that moved unheard are not looked for",
        (edit("chores.pushes:_admit_lost", "if look.seen is not None:", "if False:"),),
        ("lost-retag",),
    ),
    Mutant(
        "a tag that moved back unheard names what was known before",
        (edit("chores.pushes:_retags", "if wish.wish_id in known:", "if False:"),),
        ("moved-back-unheard",),
    ),
    Mutant(
        "what the list of executions does not name has ended",
        (
            edit(
                "chores.waiting:_look_after",
                "if executions.running(deployment_id):",
                "if False:",
                "elif may_still_change(deployment, executions):",
                "elif False:",
            ),
        ),
        ("lagging-lists",),
    ),
    Mutant(
        "a gateway that has given up has told nobody",
        (
            edit(
                "slack.transport:send_request",
                "        # A gateway gives up on what Slack may have taken already.\n"
                "        raise Unclear",
                "        raise Transient(Reason.SERVICE_UNAVAILABLE, 'Slack is down.')",
            ),
        ),
        ("slack-gateway", "slack-webhook-gateway"),
    ),
    Mutant(
        "what Slack does not take as it is laid out is not told",
        (edit("slack.transport:send_laid_out", "if refused.error not in LAYOUT:", "if True:"),),
        ("slack-blocks",),
    ),
    Mutant(
        "what a channel does not take is not told elsewhere",
        (
            edit(
                "slack.web_api:WebApi.post",
                "if not concerns_channel(refused.error):",
                "if True:",
            ),
        ),
        ("slack-archived",),
    ),
    Mutant(
        "a webhook tells again what may have arrived",
        (
            edit(
                "slack.webhook:SlackWebhook.find",
                "return Delivery(arrival=Arrival.UNKNOWABLE)",
                "return None",
            ),
        ),
        ("slack-webhook|notify/slack/webhook/2=crash-after",),
    ),
    Mutant(
        "a look that dies is taken forty times more",
        (deaths("Migrate", 40),),
        (f"success|{always('migrate/ecs/RunTask', 'crash-before')}",),
    ),
)
