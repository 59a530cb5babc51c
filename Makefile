# Slipway's commands. `make` alone lists them.

BIN := .venv/bin
APP := .venv-app
CONFIG ?= staging
# Set on the command line only: the shell may have an ENV or a NAME of its own.
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
setup: $(READY) ## install everything the other commands need

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

hooks: .venv/.installed ## install the pre-commit hooks
	@$(BIN)/pre-commit install

# --------------------------------------------------------------------------- The embedded cloud
VISIT = $(LOCAL) demo.standing.visit --name "$(NAME)"

demo: $(READY) ## run the whole demo on the embedded cloud (KEEP=1 keeps it running, APPROVE=browser)
	@$(LOCAL) demo --name "$(NAME)"

up: $(READY) ## start the embedded cloud with Slipway and keep it running (NAME=b: a second one)
	@$(LOCAL) demo.standing.up --name "$(NAME)"

down: ## stop the cloud that `make up` or `make demo KEEP=1` started (ALL=1: all of them)
	@$(VISIT) down $(if $(filter 1,$(ALL)),--all)

push: ## push a version of the example: VERSION=v1 ENV=staging (WAIT=1 waits for the outcome)
	@$(VISIT) push "$(VERSION)" "$(ENV)" $(if $(filter 1,$(WAIT)),--wait)

env: ## print the cloud's settings for the AWS CLI and SAM: eval "$(make env)"
	@$(VISIT) env

containers: ## give `sam local invoke` access to the cloud until Ctrl-C; see docs/local-invoke.md
	@$(VISIT) containers

pictures: $(READY) ## take the screenshots of README.md from a running cloud; needs chromium
	@$(LOCAL) demo.pictures

# ------------------------------------------------------------------------------------ Operation
# Slipway on the cloud of `make up`, or with STACK=slipway the one in your AWS account.
OPERATE = $(if $(STACK),$(LOCAL) slipway.operate --stack "$(STACK)",$(VISIT) operate)

status: .venv/.installed ## show live releases, holds and deployments: PLACE=fastapi-rds/staging STACK=slipway
	@$(OPERATE) status $(PLACE)

waiting: .venv/.installed ## list open approvals: STACK=slipway
	@$(OPERATE) waiting

operate: .venv/.installed ## run any command of docs/operate.md: DO='lift fastapi-rds/staging --by ada'
	@$(OPERATE) $(DO)

verify-records: .venv/.installed ## check that all records are complete and unchanged: STACK=slipway
	@$(OPERATE) verify-records --all

catalog: .venv/.installed ## check catalog/ and regenerate its schema and table of fields
	@$(LOCAL) slipway.catalog_build catalog .build/catalog \
		--schema docs/catalog.schema.json --docs docs/catalog.md

# --------------------------------------------------------------------------------------- Checks
test: check unit ## run everything that must pass before a merge
	@echo "== integration, end-to-end and simulation in parallel; output follows when each is done"
	@$(MAKE) --jobs 2 --output-sync=target in-virtual-time in-real-time

# Tests in real time mostly wait and must not be delayed; the simulation takes the remaining CPU.
in-real-time: $(READY)
	@$(MAKE) integration
	@$(MAKE) e2e

in-virtual-time: $(READY)
	@nice $(MAKE) simulation

check: $(READY) ## check format, lint, types and template
	@echo "== format and lint"
	@$(BIN)/ruff format --check --quiet . || { echo "Run \`$(BIN)/ruff format .\` to fix this."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@echo "== types"
	@$(BIN)/mypy --no-error-summary
	@echo "== template"
	@mkdir -p .build
	@$(BIN)/sam validate --lint --template template.yaml --region us-east-1 \
		> .build/validate.log 2>&1 || { cat .build/validate.log; exit 1; }

unit: $(READY) ## test rules, steps, template and state machine; no network, no AWS
	@echo "== unit"
	@$(PYTEST) -n 2 tests/unit

integration: $(READY) ## test adapters and the parts of the embedded cloud
	@echo "== integration"
	@$(PYTEST) -n 2 --dist loadgroup tests/integration

simulation: $(READY) ## run the fault campaign of every commit and the seeded bugs
	@echo "== simulation"
	@$(PYTEST) tests/simulation/test_campaign.py
	@$(PYTEST) -n 2 tests/simulation --ignore tests/simulation/test_campaign.py

simulate: $(READY) ## replay one run of the campaign: SEED=4711, or SEED='scenario|faults|seed'
	@$(LOCAL) cloud.simulation replay '$(SEED)'

campaign: $(READY) ## run the whole fault campaign and write docs/campaign.md (SEEDS=100000)
	@$(LOCAL) cloud.simulation campaign $(if $(SEEDS),--seeds $(SEEDS))

e2e: $(READY) ## test whole deployments on the embedded cloud
	@echo "== end-to-end"
	@$(PYTEST) -n 6 tests/e2e

# --------------------------------------------------------------------------------------- Deploy
build: $(READY) ## build with a section of samconfig.toml: CONFIG=staging
	@settings=$$($(BIN)/python -m packing.target $(CONFIG) samconfig.toml) && \
		env $$settings $(BIN)/sam build --config-env $(CONFIG)

deploy: build ## deploy to an AWS account: CONFIG=staging
	@$(BIN)/sam deploy --config-env $(CONFIG)

# ----------------------------------------------------------------------------------- Housekeeping
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --custom-compile-command "make requirements" --upgrade

requirements: .venv/bin/uv ## update all pinned versions
	@cd requirements && for name in dev app; do \
		../$(COMPILE) $$name.in --output-file $$name.txt || exit 1; done
	@cd requirements && for name in vendor lambda boot; do \
		../$(COMPILE) --constraints dev.txt $$name.in --output-file $$name.txt || exit 1; done

clean: ## remove everything that was built or installed
	@rm -rf .aws-sam .build .hypothesis .mypy_cache .pytest_cache .ruff_cache .venv .venv-app .venv-lambda
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
