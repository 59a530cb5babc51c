"""The composition of the models: one call door for every AWS service of the twin."""

from typing import Any

from botocore import xform_name

from cloud.twin.calls import Call, CallLog
from cloud.twin.errors import AwsError
from cloud.twin.world import World


class Twin:
    """All models of one account, looked up by the name of their boto3 client."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calls = CallLog()
        self.models: dict[str, Any] = {}

    def add(self, client: str, model: Any) -> None:
        """Let the model answer for a boto3 client name: one method per operation, snake_case."""
        self.models[client] = model

    def call(
        self, service: str, operation: str, params: dict[str, Any], caller: str = ""
    ) -> dict[str, Any]:
        """Answer one API call in botocore's shapes; raises AwsError as AWS would refuse.

        `service` is the boto3 client name, `operation` the API's CamelCase name.
        """
        try:
            answer = self._answer(service, operation, params)
        except AwsError as refused:
            self._log(service, operation, caller, refused.code)
            raise
        self._log(service, operation, caller, None)
        return answer

    def _answer(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        method = getattr(self.models.get(service), xform_name(operation), None)
        if method is None:
            raise AwsError(
                "UnknownOperationException",
                f"The twin does not know the operation {operation} of {service}.",
            )
        answer: dict[str, Any] | None = method(params)
        return answer or {}

    def _log(self, service: str, operation: str, caller: str, error: str | None) -> None:
        now = self.world.clock.now()
        self.calls.add(Call(now, service, operation, caller, error))
