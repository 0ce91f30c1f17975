# `make` alone explains the targets.

CARGO ?= cargo
# What follows the command: make demo ARGS=--once, make test ARGS=hiring
ARGS ?=

# The rustc that builds plugins, for a recipe's environment. `setup` has said already where it is from. No shell stays
# between make and what it runs, so that whoever ends make ends that, too.
with_wasm_rustc = rustc=$$(host/setup/wasm-target.sh 2>/dev/null) && export CALLSLIP_WASM_RUSTC=$$rustc && exec
# The folder of the other PostgreSQL versions, in the same way.
with_versions = versions=$$(host/setup/postgresql-versions.sh 2>/dev/null) && \
    export CALLSLIP_POSTGRESQL_VERSIONS=$$versions &&
# The PgBouncer that the tests start, in the same way.
with_pgbouncer = pgbouncer=$$(host/setup/pgbouncer.sh 2>/dev/null) && export CALLSLIP_PGBOUNCER=$$pgbouncer &&

# What makes plugins in JavaScript, in the same way.
with_javascript = javascript=$$(host/setup/componentize-js.sh 2>/dev/null) && export CALLSLIP_COMPONENTIZE_JS=$$javascript &&

# The Python that has the tools which read OpenAPI documents, in the same way.
with_openapi_tools = python=$$(host/setup/openapi-tools.sh 2>/dev/null) && export CALLSLIP_OPENAPI_PYTHON=$$python &&

# Each by itself must compile, for whoever embeds the host.
FEATURES := postgres sandbox host service cluster cli

.PHONY: help setup setup-tests demo test attack soak bench bench-peers fuzz lint clean

help: ## Explain the targets (this text)
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Settings, in the environment or after the target:'
	@echo '  ARGS=…                           what follows the command: make demo ARGS=--once, make test ARGS=hiring'
	@echo '  CALLSLIP_WASM_TARGET=auto        where the wasm target comes from: rustup, debian, or auto, which is'
	@echo '                                   what is there already, else rustup, else Debian'"'"'s packages'
	@echo '  CALLSLIP_WASM_RUSTC=…            a rustc that has the wasm target already'
	@echo '  CALLSLIP_POSTGRESQL_VERSIONS=…   the folder of the PostgreSQL versions that the tests run on beside'
	@echo '                                   the machine'"'"'s own'
	@echo '  CALLSLIP_PGBOUNCER=…             the PgBouncer that the tests put before PostgreSQL'
	@echo '  CALLSLIP_COMPONENTIZE_JS=…       the folder of what the tests make a plugin in JavaScript with'
	@echo '  CALLSLIP_EVERY_LANGUAGE=1        fail where that can'"'"'t be had, instead of testing without it'
	@echo '  CALLSLIP_OPENAPI_PYTHON=…        the Python with which the tests read the document of a server'
	@echo '  CALLSLIP_EVERY_TOOL=1            fail where that can'"'"'t be had, instead of testing without it'
	@echo '  CALLSLIP_EVERY_POSTGRESQL=1      fail where one of these can'"'"'t be had, instead of testing without it'
	@echo '  CALLSLIP_ADVISORIES=1            fail where `lint` can'"'"'t fetch the advisories of dependencies, instead of'
	@echo '                                   going without'
	@echo '  CALLSLIP_GROWTH_ROWS=10000000    how many rows the largest reply has whose growth `bench` draws'
	@echo '  PEERS=…                          the folder of the peers: make bench-peers PEERS=…'
	@echo '  TARGET=…                         one fuzz target: make fuzz TARGET=decode'
	@echo '  CARGO_TARGET_DIR=target          where everything is built'

setup: ## Bring what is missing: the wasm target and the PostgreSQL server programs
	@host/setup/wasm-target.sh >/dev/null
	@host/setup/postgresql.sh >/dev/null

# The tests read SQL with PostgreSQL's own parser, whose build needs more, and run on every version of PostgreSQL, and
# behind a pooler.
setup-tests: setup
	@host/setup/libclang.sh
	@host/setup/postgresql-versions.sh >/dev/null
	@host/setup/pgbouncer.sh >/dev/null
	@host/setup/componentize-js.sh >/dev/null
	@host/setup/openapi-tools.sh >/dev/null

# The Python that has SQLAlchemy, or nothing, for what is compared with it.
with_sqlalchemy = python=$$(host/setup/sqlalchemy.sh) && export CALLSLIP_SQLALCHEMY_PYTHON=$$python &&

# Where cargo puts what it builds.
built = $(abspath $(or $(CARGO_TARGET_DIR),target))

# The recipes of cargo begin with +, which hands it make's own job slots.

demo: setup ## Start a throw-away PostgreSQL, build and load the example plugins, and serve them
	+@$(with_wasm_rustc) $(CARGO) run -p callslip -- demo $(ARGS)

# Whatever runs on a host runs a second time on one that is behind a pooler.
test: setup-tests ## Run every test
	+@$(with_versions) $(with_pgbouncer) $(with_javascript) $(with_openapi_tools) $(with_wasm_rustc) \
	    $(CARGO) test --workspace $(ARGS)
	+@$(with_pgbouncer) export CALLSLIP_TEST_POOLER=pgbouncer && \
	    $(with_wasm_rustc) $(CARGO) test --workspace --test it $(ARGS)

# A part of `make test` too; here with its table. ARGS=… runs those with one of these words in their name or line.
attack: setup-tests ## Attack a host with all that a plugin could try, and print what refused it
	+@$(with_wasm_rustc) $(CARGO) test -q -p callslip-tests --test attack -- $(ARGS)

soak: setup ## Ask a server for two minutes with 256 clients, while it reloads and its database restarts
	@host/setup/libclang.sh
	+@export CALLSLIP_SOAK_S=$${CALLSLIP_SOAK_S:-120} && \
	    $(with_wasm_rustc) $(CARGO) test --workspace --test soak -- --nocapture $(ARGS)

# The table is of what was measured since it began.
bench: setup ## Run the benchmarks, and print all that they have measured in one table; target/growth has charts
	@host/setup/libclang.sh
	@mkdir -p $(built)/figures && touch $(built)/figures/began
	+@$(with_sqlalchemy) $(with_wasm_rustc) $(CARGO) bench -p callslip-tests $(ARGS)
	@$(built)/release/bench-table

# Servers of others with the same endpoints, which are not part of this repository. ARGS='--rounds 1 --seconds 2' is a short run.
bench-peers: setup ## Measure a plugin beside servers by hand and of others, on the same data: PEERS=folder
	@test -d '$(PEERS)' || { echo 'bench-peers: say where the peers are: make bench-peers PEERS=folder' >&2; exit 1; }
	+@$(CARGO) build --profile dist -p callslip -p callslip-rate --bin callslip --bin callslip-rate
	+@$(with_wasm_rustc) $(built)/dist/callslip build tests/guests/peers --out $(built)/plugins/peers.wasm
	@PATH=$$(host/setup/postgresql.sh 2>/dev/null):$$PATH exec python3 tests/peers/main.py '$(PEERS)' --callslip $(built)/dist/callslip --rate $(built)/dist/callslip-rate \
	    --plugin $(built)/plugins/peers.wasm --target $(built) $(ARGS)

# libFuzzer steers by these, which stable Rust can do too.
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
FUZZ_TARGETS := arguments component config decode describe request rows snapshot
# Which of them; one: make fuzz TARGET=decode
TARGET := $(FUZZ_TARGETS)
# `fuzz` is optimised, and instrumented throughout (with --target build scripts go without). `dev` is built in half a minute on
# what the tests have built already, of which our own crates are built once more, instrumented.
FUZZ_PROFILE := fuzz
fuzz_cargo_fuzz = machine=$$(rustc -vV | sed -n 's/^host: //p') && RUSTFLAGS='$(FUZZ_FLAGS)' \
    $(CARGO) test --workspace --profile fuzz --target $$machine
fuzz_cargo_dev = FUZZ_FLAGS='$(FUZZ_FLAGS)' RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/tests/fuzz/instrument.sh \
    $(CARGO) test --workspace
# How long an input may be that is worth a try, in bytes.
fuzz_max_len_component := 8192
fuzz_max_len_snapshot := 8192
fuzz_max_len_config := 4096

fuzz: ## Fuzz all that comes from outside, a minute for each target; ARGS=-max_total_time=3600 for an hour
	@host/setup/postgresql.sh >/dev/null
	@host/setup/libclang.sh
	+@$(fuzz_cargo_$(FUZZ_PROFILE)) --no-run $(TARGET:%=--bin fuzz-%)
	+@$(foreach target,$(TARGET),$(call fuzz_one,$(target)) &&) true

# What is found goes to `found`, which is not kept; `corpus` is read alone. A finding is in `artifacts`, and is tried again by
# itself as ARGS=artifacts/…
fuzz_one = echo 'fuzzing $(1)' >&2 && mkdir -p tests/fuzz/found/$(1) tests/fuzz/artifacts && \
    $(fuzz_cargo_$(FUZZ_PROFILE)) --quiet --bin fuzz-$(1) -- found/$(1) corpus/$(1) -artifact_prefix=artifacts/$(1)- \
        -max_len=$(or $(fuzz_max_len_$(1)),1024) -len_control=0 -timeout=30 -rss_limit_mb=4096 -max_total_time=60 $(ARGS)

lint: ## Check formatting, lints, documentation, every feature by itself, dependencies, and the shell scripts
	@host/setup/libclang.sh
	@$(CARGO) fmt --check
	+$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	+RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --workspace
	+$(CARGO) clippy -p callslip --no-default-features -- -D warnings
	+set -e; for feature in $(FEATURES); do \
	    echo "feature $$feature" >&2; \
	    $(CARGO) clippy -p callslip --no-default-features --features $$feature -- -D warnings; \
	done
	@deny=$$(host/setup/cargo-deny.sh) && tests/dependencies.sh "$$deny"
	@if command -v shellcheck >/dev/null; then shellcheck -x host/setup/*.sh tests/*.sh tests/fuzz/*.sh .ci/run; fi

clean: ## Remove what was built; the wasm target and PostgreSQL stay
	$(CARGO) clean
