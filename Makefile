# Every target is a script in scripts/ with a name of its own; this file only names them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help deploy remove test unit system lint sanity integration faults mutations fuzz molecule clean-clone bench build docs clean

PLUGIN ?= template
SCENARIO ?= default

help:            ## this list
	@sed -nE 's/^([a-z-]+): +## (.*)$$/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

deploy:          ## deploy PLUGIN=template to this machine, or to INVENTORY=…; TARGET= CONFIG= ENV= REPLICAS=
	@PLUGIN='$(PLUGIN)' TARGET='$(TARGET)' CONFIG='$(CONFIG)' ENV='$(ENV)' REPLICAS='$(REPLICAS)' \
	    INVENTORY='$(INVENTORY)' scripts/deploy.sh

remove:          ## take PLUGIN=template away again, from this machine or INVENTORY=…; CONFIG= ENV=; PURGE=template: its data, too
	@PLUGIN='$(PLUGIN)' CONFIG='$(CONFIG)' ENV='$(ENV)' INVENTORY='$(INVENTORY)' PURGE='$(PURGE)' scripts/remove.sh

test:            ## everything below, with its own set-up
	@scripts/test.sh

lint:            ## ruff, mypy (the core), ansible-lint (production), shellcheck, changelog fragments
	@scripts/lint.sh

sanity:          ## ansible-test sanity
	@scripts/sanity.sh

unit:            ## unit tests that take no time
	@scripts/unit.sh quick

system:          ## unit tests that start servers of their own: nginx, PostgreSQL, Supervisor
	@scripts/unit.sh system

build:           ## the collection's tarball, installed offline and used from there
	@scripts/build.sh

integration:     ## the modules' integration targets, on this machine
	@scripts/integration.sh

faults:          ## what happens when things go wrong, a line for each row of docs/faults.md; not part of `test`
	@scripts/faults.sh

mutations:       ## one thing of an OS family wrong: a deploy has to fail and to name the cause; not part of `test`
	@scripts/mutations.sh

fuzz:            ## the fuzzed tests with other examples, round after round, for five minutes at most; not part of `test`
	@scripts/fuzz.sh

molecule:        ## one Molecule scenario, SCENARIO=default, host, families, storage, network, roles, elsewhere, dependencies, compose, swarm
	@scripts/molecule.sh '$(SCENARIO)'

clean-clone:     ## a fresh clone in clean containers runs `make deploy`
	@scripts/clean_clone.sh

bench:           ## measured ratios beside their bars
	@scripts/bench.sh

docs:            ## make docs/errors.md from the table of error codes
	@scripts/docs.sh

clean:           ## remove everything that the targets above made in this directory
	@scripts/clean.sh
