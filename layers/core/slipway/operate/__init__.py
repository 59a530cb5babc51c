"""The operator's command line: runs on the operator's machine, never in Lambda."""
