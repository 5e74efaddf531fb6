# The front door. `make help` explains; everything that these commands bring stays in .run/ and .venv/.

PYTHON ?= python3
MAILBOX ?=
T ?=
FROM ?=
export RUNTIME

export PYTHONDONTWRITEBYTECODE = 1
local := $(PYTHON) -m deploy.local

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench soak chaos fuzz up down status logs backup restore lock pin audit fresh clean man

help: ## this page
	@echo 'Commands of this checkout. Nothing is installed on the machine; no root needed.'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { line = sprintf("  make %-8s", $$1); count = split($$2, words, " "); \
		for (at = 1; at <= count; at++) { \
			if (length(line) + length(words[at]) >= 80) { print line; line = sprintf("%15s", "") } \
			line = line " " words[at] } \
		print line }' $(MAKEFILE_LIST)
	@echo
	@echo 'RUNTIME=docker takes Docker for the servers of demo and test, and for all of up;'
	@echo 'down, status and logs know then what is up. PYTHON=python3.12 uses another'
	@echo 'Python (3.11 or later).'

demo: ## a sample mailbox becomes tickets and mails before your eyes (MAILBOX=maildir|imap|ews|graph, maildir if not given; KEEP=1: it goes on afterwards, with the web console)
	@$(local) demo --mailbox '$(MAILBOX)' $(if $(KEEP),--keep)

test: ## all checks and all tests on private servers (T=tests/some/test_file.py: that file only, in seconds)
	@$(local) test --only '$(T)'

up: ## start the importer for real, with private servers that keep their data
	@$(local) up

down: ## stop what `make up` started; the data is kept
	@$(local) down

status: ## what of `make up` runs, and where
	@$(local) status

logs: ## follow the logs of `make up` (Ctrl-C ends the looking, not the importer)
	@$(local) logs

backup: ## the database and its keys into a folder of .run/backups/ (RUNTIME=docker)
	@$(local) backup

restore: ## a back-up in the place of what there is (FROM=.run/backups/…; RUNTIME=docker)
	@$(local) restore --from '$(FROM)'

check: ## lint, format, types, import boundaries, generated documents; no server needed
	@$(local) check

bench: ## the judge: a mail's rate, cost and latency beside a peer and a ceiling (QUICK=1: in five minutes; FULL=1: with ten million tickets; MAILBOXES=1: one fetcher with 500 mailboxes at five servers; PAGES=1: the web console at a million tickets)
	@$(local) bench --form '$(if $(MAILBOXES),mailboxes,$(if $(PAGES),pages,$(if $(QUICK),quick,$(if $(FULL),full,usual))))'

soak: ## whether a fetcher grows over an hour's worth of polls, made quick (MAILBOXES=500; POLLS=120 of each)
	@$(local) soak $(if $(MAILBOXES),--mailboxes '$(MAILBOXES)') $(if $(POLLS),--polls '$(POLLS)')

chaos: ## 5,000 mails while everything fails: none may be lost or doubled (SEED=1: what fails when; MAILS=500; CLUSTER=1)
	@$(local) chaos $(if $(SEED),--seed '$(SEED)') $(if $(MAILS),--mails '$(MAILS)') $(if $(CLUSTER),--cluster)

fuzz: ## any bytes at all into the rules that read mail (SECONDS=300 over all targets; what is found is named)
	@$(local) fuzz $(if $(SECONDS),--seconds '$(SECONDS)')

setup: ## only bring what the other commands need, for working offline later
	@$(local) setup

lock: ## lock the dependencies of pyproject.toml with their hashes, and list them in CycloneDX (UPGRADE=1: the newest versions allowed)
	@$(local) lock $(if $(UPGRADE),--upgrade)

man: ## make the man pages (deploy/man, English and Dutch) of the --help pages
	@mkdir -p deploy/man/nl
	@IMPORTER_LANGUAGE=en .venv/bin/python -m services.console.manual > deploy/man/helpdesk-importer.1
	@IMPORTER_LANGUAGE=nl .venv/bin/python -m services.console.manual > deploy/man/nl/helpdesk-importer.1

pin: ## name the base images by the digests that their registry tells now; needs Docker and the network
	@$(local) pin

audit: ## known weaknesses of the locked dependencies, and base images without a digest; needs the network
	@$(local) audit

fresh: ## try demo, tests and systemd units on clean Debian 12 and 13 systems; needs root (SUITE=bookworm or trixie: one of them)
	@$(local) fresh $(if $(SUITE),--suite '$(SUITE)')

clean: ## stop everything and remove .run/ and .venv/, data included
	@$(local) clean
