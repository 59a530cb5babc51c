"""ECS, split by right: looking at services, registering revisions, rolling out, one-off tasks."""
