"""One structured logger for every function; it never sees an event or a token."""

import json
from functools import partial
from typing import Final

from aws_lambda_powertools import Logger

# In ASCII, so that no character of others reorders or hides what stands in a line.
_LINE: Final = partial(json.dumps, default=str, separators=(",", ":"), ensure_ascii=True)

logger = Logger(service="slipway", log_uncaught_exceptions=False, json_serializer=_LINE)
