# Short names for what scripts/ do; nothing else is built here.
.PHONY: build test run bench format lint parity-record parity-live parity-status

build:
	scripts/setup
	scripts/build release
test:
	scripts/test
run:
	scripts/run
bench:
	scripts/bench
format:
	scripts/lint format
lint:
	scripts/lint
