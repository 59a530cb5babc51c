"""What people and events ask for: deployments, decisions, cancellations, holds."""
