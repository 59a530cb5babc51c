"""One structured logger for every function; it never sees an event or a token."""

from aws_lambda_powertools import Logger

logger = Logger(service="slipway", log_uncaught_exceptions=False)
