"""Seeded design bugs: small changes of Slipway, one at a time, that the campaign has to notice."""

from cloud.simulation.mutants.databases import DATABASES
from cloud.simulation.mutants.decisions import DECISIONS
from cloud.simulation.mutants.lanes import LANES
from cloud.simulation.mutants.messages import MESSAGES
from cloud.simulation.mutants.requests import REQUESTS
from cloud.simulation.mutants.rollouts import ROLLOUTS
from cloud.simulation.mutants.tasks import TASKS
from cloud.simulation.mutants.wakeups import WAKEUPS

MUTANTS = (
    *LANES,
    *DECISIONS,
    *ROLLOUTS,
    *DATABASES,
    *WAKEUPS,
    *MESSAGES,
    *TASKS,
    *REQUESTS,
)
