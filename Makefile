# Slipway's commands. `make` alone lists them.

BIN := .venv/bin
APP := .venv-app
CONFIG ?= staging
# Said on the command line only: the shell may have an ENV or a NAME of its own.
VERSION = v1
ENV = staging
NAME =
WAIT =
ALL =
PLACE =
DO = --help

PYTEST = $(BIN)/python -m pytest -q
LOCAL = PYTHONPATH=.:layers/core $(BIN)/python -m
READY = .venv/.installed $(APP)/.installed .venv-lambda/.installed
SHELL = /bin/sh
export SAM_CLI_TELEMETRY = 0
export UV_SYSTEM_CERTS ?= true
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help setup hooks demo up down push env containers pictures status waiting operate verify-records catalog test in-real-time in-virtual-time check unit integration simulation simulate campaign e2e build deploy requirements clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------- Set-up
setup: $(READY) ## install everything that the other commands need

.venv/bin/uv: requirements/boot.txt
	@sh packing/boot.sh .venv requirements/boot.txt

.venv/.installed: requirements/dev.txt .venv/bin/uv
	@echo "Installing the development tools ..."
	@$(BIN)/python -m packing.uv .venv requirements/dev.txt
	@touch $@

$(APP)/.installed: requirements/app.txt .venv/bin/uv
	@echo "Installing the example application's libraries and PostgreSQL ..."
	@$(BIN)/python -m packing.uv $(APP) requirements/app.txt
	@touch $@

.venv-lambda/.installed: requirements/lambda.txt .venv/.installed
	@echo "Installing AWS's Lambda runtime client ..."
	@$(BIN)/python -m packing.runtime_clients
	@touch $@

hooks: .venv/.installed ## check every commit before it is made, with pre-commit
	@$(BIN)/pre-commit install

# --------------------------------------------------------------------------- The embedded cloud
VISIT = $(LOCAL) demo.standing.visit --name "$(NAME)"

demo: $(READY) ## play the whole story on the embedded cloud (KEEP=1 leaves it up, APPROVE=browser)
	@$(LOCAL) demo --name "$(NAME)"

up: $(READY) ## start the embedded cloud with Slipway on it, and keep it up (NAME=b: another one)
	@$(LOCAL) demo.standing.up --name "$(NAME)"

down: ## end the cloud that `make up` or `make demo KEEP=1` left running (ALL=1: every one)
	@$(VISIT) down $(if $(filter 1,$(ALL)),--all)

push: ## push a version of the example to that cloud: VERSION=v1 ENV=staging (WAIT=1: see it end)
	@$(VISIT) push "$(VERSION)" "$(ENV)" $(if $(filter 1,$(WAIT)),--wait)

env: ## print that cloud's settings for the AWS CLI and SAM: eval "$(make env)"
	@$(VISIT) env

containers: ## let `sam local invoke` reach that cloud, until Ctrl-C; see docs/local-invoke.md
	@$(VISIT) containers

pictures: $(READY) ## make the pictures of README.md from a running cloud; needs chromium
	@$(LOCAL) demo.pictures

# ------------------------------------------------------------------------------------ Operation
# The standing cloud's Slipway, or with STACK=slipway that of the account of your AWS settings.
OPERATE = $(if $(STACK),$(LOCAL) slipway.operate --stack "$(STACK)",$(VISIT) operate)

status: .venv/.installed ## what is live, held and under way: PLACE=fastapi-rds/staging STACK=slipway
	@$(OPERATE) status $(PLACE)

waiting: .venv/.installed ## what waits for a person: STACK=slipway
	@$(OPERATE) waiting

operate: .venv/.installed ## any other command of docs/operate.md: DO='lift fastapi-rds/staging --by ada'
	@$(OPERATE) $(DO)

verify-records: .venv/.installed ## whether every record is complete and unchanged: STACK=slipway
	@$(OPERATE) verify-records --all

catalog: .venv/.installed ## check catalog/, and write its schema and page of fields again
	@$(LOCAL) slipway.catalog_build catalog .build/catalog \
		--schema docs/catalog.schema.json --docs docs/catalog.md

# --------------------------------------------------------------------------------------- Checks
test: check unit ## everything that has to pass before a merge
	@echo "== integration, end to end and simulation side by side; each is shown when it is over"
	@$(MAKE) --jobs 2 --output-sync=target in-virtual-time in-real-time

# What runs in real time waits a lot and is asked to be quick; the simulation takes what is left.
in-real-time: $(READY)
	@$(MAKE) integration
	@$(MAKE) e2e

in-virtual-time: $(READY)
	@nice $(MAKE) simulation

check: $(READY) ## format, lint, types, template
	@echo "== format and lint"
	@$(BIN)/ruff format --check --quiet . || { echo "\`$(BIN)/ruff format .\` fixes this."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@echo "== types"
	@$(BIN)/mypy --no-error-summary
	@echo "== template"
	@mkdir -p .build
	@$(BIN)/sam validate --lint --template template.yaml --region us-east-1 \
		> .build/validate.log 2>&1 || { cat .build/validate.log; exit 1; }

unit: $(READY) ## rules, steps, template and state machine: no network, no AWS
	@echo "== unit"
	@$(PYTEST) -n 2 tests/unit

integration: $(READY) ## adapters, the twin, the local cloud's parts
	@echo "== integration"
	@$(PYTEST) -n 2 --dist loadgroup tests/integration

simulation: $(READY) ## the fault campaign of every commit, and the seeded design bugs
	@echo "== simulation"
	@$(PYTEST) tests/simulation/test_campaign.py
	@$(PYTEST) -n 2 tests/simulation --ignore tests/simulation/test_campaign.py

simulate: $(READY) ## replay one run of the campaign: SEED=4711, or SEED='scenario|faults|seed'
	@$(LOCAL) cloud.simulation replay '$(SEED)'

campaign: $(READY) ## the whole fault campaign; writes docs/campaign.md (SEEDS=100000)
	@$(LOCAL) cloud.simulation campaign $(if $(SEEDS),--seeds $(SEEDS))

e2e: $(READY) ## whole deployments on the embedded cloud
	@echo "== end to end"
	@$(PYTEST) -n 6 tests/e2e

# --------------------------------------------------------------------------------------- Deploy
build: $(READY) ## build for a section of samconfig.toml: CONFIG=staging
	@settings=$$($(BIN)/python -m packing.target $(CONFIG) samconfig.toml) && \
		env $$settings $(BIN)/sam build --config-env $(CONFIG)

deploy: build ## deploy to a real account: CONFIG=staging
	@$(BIN)/sam deploy --config-env $(CONFIG)

# ----------------------------------------------------------------------------------- Housekeeping
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --custom-compile-command "make requirements" --upgrade

requirements: .venv/bin/uv ## pin the newest versions again
	@cd requirements && for name in dev app; do \
		../$(COMPILE) $$name.in --output-file $$name.txt || exit 1; done
	@cd requirements && for name in vendor lambda boot; do \
		../$(COMPILE) --constraints dev.txt $$name.in --output-file $$name.txt || exit 1; done

clean: ## remove what was built and installed
	@rm -rf .aws-sam .build .hypothesis .mypy_cache .pytest_cache .ruff_cache .venv .venv-app .venv-lambda
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
