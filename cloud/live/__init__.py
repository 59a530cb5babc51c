"""The live harness: real processes, a real proxy and real health checks behind the models."""
