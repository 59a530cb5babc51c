"""The pages that people open: approvals, deployments and the status of every lane."""
