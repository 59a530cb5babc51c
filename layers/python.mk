# The Python that fills the layers: that of `make setup`, unless SLIPWAY_PYTHON names another.
SLIPWAY_PYTHON ?= $(if $(wildcard $(ROOT)/.venv/.installed),$(ROOT)/.venv/bin/python)

.PHONY: python
python:
	@test -n "$(SLIPWAY_PYTHON)" || { echo 'Slipway is not set up: run `make setup` in' \
		'$(ROOT) once, then `sam build` again.' >&2; exit 1; }
