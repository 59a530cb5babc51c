"""The example application and its versions."""
