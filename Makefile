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

# The parity suite. Recording and comparing need a real nats-server: NATS_SERVER_BIN, or one built with Go.
export LUA_PATH := $(CURDIR)/?.lua;$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;
export NATS_SERVER_BIN ?= $(CURDIR)/build/tools/nats-server

parity-record parity-live: $(NATS_SERVER_BIN)
parity-record:
	luajit spec/parity/record.lua $(TOPICS)
parity-live: build
	luajit spec/parity/live.lua $(TOPICS)
parity-status:
	luajit spec/parity/status.lua $(AREA) $(TIER)
$(CURDIR)/build/tools/nats-server:
	scripts/tools nats-server
