# SPDX-License-Identifier: Apache-2.0
# The habits of the house, one word each.
.DEFAULT_GOAL := help
.PHONY: help setup base demo test run check audit fuzz crash soak simulate bench test-journeys test-peers screenshots lock

BIN := .venv/bin
# What is imported once need not be compiled by every process that starts.
export PYTHONDONTWRITEBYTECODE :=

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:  ## everything in .venv/, and the programs the tests need where we may install them
	@deploy/setup test

base:
	@deploy/setup base

demo: base  ## two agencies on this machine that federate for real, until Ctrl-C
	@$(BIN)/guildhall demo

# Two for each core: the longest tests wait for servers most of the time.
test: setup  ## all tests
	PYTEST_XDIST_AUTO_NUM_WORKERS=$${WORKERS:-$$(( $$(nproc) * 2 ))} $(BIN)/pytest -n auto --dist worksteal

run: base  ## one instance for one agency on http://localhost:8000
	@mkdir -p var
	@GUILDHALL_ORIGIN=http://localhost:8000 GUILDHALL_STATE=var \
	  GUILDHALL_DATABASE=sqlite:///var/guildhall.db $(BIN)/guildhall serve

check: base  ## format, lint, types, layers, house tests: seconds, no network
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/house

audit: base  ## known weaknesses of what the lock installs, with network
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

fuzz: base  ## property tests at full count
	$(BIN)/pytest -n auto --dist worksteal -m hypothesis --hypothesis-profile=full \
	  -o faulthandler_timeout=3600

bench: setup  ## the benchmarks beside their limits; ONLY="ingest thread", SIZES=1k, DATABASES=sqlite
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(SIZES),--sizes $(SIZES)) \
	  $(if $(DATABASES),--databases $(DATABASES))

simulate: base  ## a simulated federation on other seeds: SEEDS="11 12 13"
	$(BIN)/python -m tests.simulation $(SEEDS)

crash: setup  ## kill servers at random moments: KILLS=200, and SEED for other moments
	@GUILDHALL_TEST_KILLS=$(or $(KILLS),200) GUILDHALL_TEST_SEED=$(or $(SEED),20261125) \
	  $(BIN)/pytest -q -s tests/crash/test_kills.py

soak: setup  ## an hour of sending to peers that are far away: MINUTES=60; DATABASE=sqlite for the other
	@$(BIN)/python -m tests.crash.soak --minutes $(or $(MINUTES),60) --database $(or $(DATABASE),postgresql)

test-journeys: setup  ## the journeys between agencies, each agency on PostgreSQL; DATABASE=sqlite for the other
	GUILDHALL_TEST_JOURNEYS=$(or $(DATABASE),postgresql) $(BIN)/pytest -q tests/journeys

test-peers: base  ## other software from the registries against a running Guildhall; needs Node and the network; RECORD=1 keeps what it sends
	@deploy/peers
	GUILDHALL_TEST_PEERS=1 GUILDHALL_TEST_RECORD=$(RECORD) $(BIN)/pytest -q tests/peers

screenshots: setup  ## the pictures the docs use
	$(BIN)/python -m tests.screenshots

lock: base  ## both locks anew; UPGRADE=1 moves everything to its newest version
	@deploy/lock
