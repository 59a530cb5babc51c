"""The operator's command line; it runs on the operator's machine, never in Lambda."""
