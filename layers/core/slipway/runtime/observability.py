"""The structured logger of every function. Events and task tokens are never logged."""

import json
from functools import partial
from typing import Final

from aws_lambda_powertools import Logger

# ASCII only, so that no character from outside can reorder or hide parts of a line.
_LINE: Final = partial(json.dumps, default=str, separators=(",", ":"), ensure_ascii=True)

logger = Logger(service="slipway", log_uncaught_exceptions=False, json_serializer=_LINE)
