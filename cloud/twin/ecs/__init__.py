"""Elastic Container Service: services, rollouts, tasks, task definitions."""
