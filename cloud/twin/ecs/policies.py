"""What a cloud may be told to do wrong: tasks that find no place or never start."""

from dataclasses import dataclass, field

NO_CAPACITY = (
    "Capacity is unavailable at this time. "
    "Please try again later or in a different availability zone"
)

# The policy of clusters that have none.
ANYWHERE = "*"


@dataclass
class TaskPolicy:
    """Reasons for the next tasks of a cluster; without a number they hold until they are changed.

    ``no_capacity`` is what RunTask answers among its failures; ``start_failure`` is the
    ``stoppedReason`` of tasks whose containers never start.
    """

    no_capacity: str | None = None
    start_failure: str | None = None
    remaining: int | None = None

    def use(self, reason: str | None) -> str | None:
        """The reason, if it still holds; uses one up."""
        if reason is None or self.remaining == 0:
            return None
        if self.remaining is not None:
            self.remaining -= 1
        return reason


@dataclass
class TaskPolicies:
    """The policy of each cluster, by its name, and of those that have none of their own."""

    by_cluster: dict[str, TaskPolicy] = field(default_factory=dict)

    def set(self, cluster: str, policy: TaskPolicy) -> None:
        """Replace a cluster's policy."""
        self.by_cluster[cluster] = policy

    def no_capacity(self, cluster_arn: str) -> str | None:
        """Why RunTask places nothing in this cluster now, or None."""
        policy = self._of(cluster_arn)
        return policy.use(policy.no_capacity)

    def start_failure(self, cluster_arn: str) -> str | None:
        """Why the next task of this cluster does not start, or None."""
        policy = self._of(cluster_arn)
        return policy.use(policy.start_failure)

    def _of(self, cluster_arn: str) -> TaskPolicy:
        own = self.by_cluster.get(cluster_arn.rpartition("/")[2])
        return own or self.by_cluster.get(ANYWHERE, TaskPolicy())
