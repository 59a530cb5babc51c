"""The AWS services that Slipway calls: of the others, the vendor layer carries no description."""

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
