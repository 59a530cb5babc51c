"""The composition root: settings, wiring, logging and the answer to Step Functions."""
