"""Seeded design bugs of lanes: who holds one, which candidate is the newest, what a hold stops."""

from cloud.simulation.mutants.mutant import Mutant, edit

_READ = "condition, values = _as_read(document)"
_ANY_VERSION = (
    _READ,
    f"{_READ}\n    condition = 'attribute_not_exists(nothing)' if values else condition",
)

LANES = (
    Mutant(
        "documents are written over whatever was read",
        (edit("adapters.records:DynamoDBRecords._put_versioned", *_ANY_VERSION),),
        ("double-click", "twice-pushed"),
        seeds=30,
    ),
    Mutant(
        "the fencing number stays when the lane is taken",
        (edit("domain.lane:Lane.enter", "self.fencing + 1", "self.fencing"),),
        ("success",),
    ),
    Mutant(
        "a hold stops nobody",
        (edit("domain.lane:Lane.refuse", "if self.hold is not None:", "if False:"),),
        ("push-after-rollback",),
    ),
    Mutant(
        "a superseded candidate goes on",
        (edit("domain.lane:Lane.refuse", "if newer is not None:", "if False:"),),
        ("newer-push", "newer-push@Check", "newer-push@Plan", "twice-pushed"),
    ),
    Mutant(
        "the last event wins, not the newest push",
        (
            edit(
                "domain.lane:Lane.with_candidate",
                "newest is None or candidate.explicit or candidate.order >= newest.order",
                "True",
            ),
        ),
        ("twice-pushed|event/ECR Image Action/1=late",),
    ),
    Mutant(
        "another tag on a pushed image is a new deployment",
        (
            edit(
                "requests.wishes:push_wish",
                "{release.repository}@{release.digest}",
                "{release.repository}:{release.tag}",
            ),
        ),
        ("retagged-live",),
    ),
)
