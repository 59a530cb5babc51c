"""A module that a function gets from a layer."""

ORIGIN = "layer"
