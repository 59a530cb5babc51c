"""From `catalog/*.yaml` to the compiled catalog: build-time only, never imported in Lambda."""
