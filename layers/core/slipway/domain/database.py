"""The database that a release migrates: one model per kind."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, Tag

from slipway.domain.kinds import by_kind
from slipway.domain.model import Model

# CreateDBInstance and CreateDBCluster in the RDS API reference; both are stored in lower case.
RdsName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z](-?[a-z0-9])*$", max_length=63),
    Field(description="its identifier in RDS"),
]


class RdsInstance(Model):
    """A DB instance in RDS; its snapshot is the instance's."""

    kind: Literal["rds_instance"] = Field(
        default="rds_instance", description="what kind of database it is"
    )
    identifier: RdsName
    encrypted: bool = Field(default=True, description="a snapshot that is not encrypted is refused")

    @property
    def database_id(self) -> str:
        """The name under which migrations of this database exclude each other."""
        return f"rds:{self.identifier}"


class AuroraCluster(Model):
    """An Aurora cluster; its snapshot is the whole cluster's."""

    kind: Literal["aurora_cluster"] = Field(description="what kind of database it is")
    identifier: RdsName
    encrypted: bool = Field(default=True, description="a snapshot that is not encrypted is refused")

    @property
    def database_id(self) -> str:
        """The name under which migrations of this database exclude each other."""
        return f"aurora:{self.identifier}"


Database = Annotated[
    Annotated[RdsInstance, Tag("rds_instance")] | Annotated[AuroraCluster, Tag("aurora_cluster")],
    by_kind("rds_instance"),
]
