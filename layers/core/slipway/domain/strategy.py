"""How a service's tasks are replaced: one model per kind of strategy.

A strategy is data: ECS starts and stops the tasks and moves the traffic.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, Tag, model_validator

from slipway.domain.kinds import by_kind
from slipway.domain.model import Model

TimeoutMinutes = Annotated[
    int, Field(ge=1, le=1440, description="until the rollout counts as failed")
]


class CircuitBreaker(Model):
    """When ECS itself gives a rollout up. Without a count: half the desired tasks, 3 to 200."""

    failures: int | None = Field(
        default=None, ge=1, le=200, description="tasks that fail before ECS gives up"
    )


class Rolling(Model):
    """ECS's rolling update."""

    kind: Literal["rolling"] = Field(default="rolling", description="how tasks are replaced")
    minimum_healthy_percent: int = Field(
        default=100, ge=0, le=100, description="of the desired tasks, kept running meanwhile"
    )
    maximum_percent: int = Field(
        default=200, ge=100, le=400, description="of the desired tasks, old and new together"
    )
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    timeout_minutes: TimeoutMinutes = 30

    @model_validator(mode="after")
    def leaves_room_to_move(self) -> Self:
        """Refuse 100/100: ECS could neither stop an old task nor start a new one."""
        if self.minimum_healthy_percent >= self.maximum_percent:
            raise ValueError("minimum_healthy_percent must be below maximum_percent")
        return self


class BlueGreen(Model):
    """ECS's own blue/green deployment: all new tasks first, then all of the traffic.

    It has no circuit breaker: what does not become healthy is given up when its time is over.
    """

    kind: Literal["blue_green"] = Field(description="how tasks are replaced")
    bake_minutes: int = Field(
        default=5,
        ge=0,
        le=1440,
        description="the old tasks stay after the traffic has moved, so that it can move back",
    )
    timeout_minutes: TimeoutMinutes = 60

    @model_validator(mode="after")
    def ends_after_its_bake(self) -> Self:
        """A rollout that bakes for as long as it may take would never succeed."""
        if self.bake_minutes >= self.timeout_minutes:
            raise ValueError("bake_minutes must be below timeout_minutes")
        return self


Strategy = Annotated[
    Annotated[Rolling, Tag("rolling")] | Annotated[BlueGreen, Tag("blue_green")],
    by_kind("rolling"),
]
