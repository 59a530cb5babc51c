"""The AWS services that Slipway calls; the vendor layer contains the API models of these only."""

SERVICES = (
    "cloudwatch",
    "dynamodb",
    "ecr",
    "ecs",
    "elbv2",
    "events",
    "logs",
    "rds",
    "secretsmanager",
    "stepfunctions",
    "sts",
)
