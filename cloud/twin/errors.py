"""The one way in which a model refuses a request."""

from typing import Any


class AwsError(Exception):
    """An error as AWS answers it: code, message, HTTP status and the members of its shape."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members
