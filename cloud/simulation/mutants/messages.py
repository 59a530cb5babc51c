"""Seeded design bugs of messages: claimed, sent, sent again."""

from cloud.simulation.mutants.mutant import Mutant, edit

MESSAGES = (
    Mutant(
        "what Slack refused is never told again",
        (edit("chores.missed_notices:missed_notices", "if lacking:", "if False:"),),
        ("rollback-failure|notify/slack/chat.postMessage/8=permanent",),
    ),
    Mutant(
        "the sweep tells what the stream still has to tell",
        (
            edit(
                "chores.missed_notices:missed_notices",
                "for one in records.untold(now - _NEWS_LASTS)",
                "for one in [records.notice(one.deployment_id, 'slack') for application, name in "
                "(('ledger', 'staging'), ('ledger', 'production')) for one in "
                "records.recent(application, name, 5)]",
            ),
            edit(
                "chores.missed_notices:_is_missed",
                "notice.lacks(state)",
                "state not in notice.told",
            ),
            edit("runtime.stream:undelivered", "if not records", "if False and not records"),
        ),
        ("slack-busy",),
    ),
    Mutant(
        "a message leaves before it is claimed",
        (
            edit(
                "notices.outbox:_send",
                "claim = _write(notice.claimed(news.state), records)",
                "claim = notice",
            ),
        ),
        (
            "success|notify/slack/chat.postMessage/1=crash-after",
            "success|notify/slack/chat.postMessage/3=lost",
        ),
    ),
)
