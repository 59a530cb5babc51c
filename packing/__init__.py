"""Builds the Lambda layers and installs the tools: the parts of the build written in Python."""
