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

# Each by itself must compile, for whoever embeds the host.
FEATURES := postgres sandbox host service cluster cli

.PHONY: help setup setup-tests demo test bench fuzz lint clean

help: ## Explain the targets (this text)
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Settings, in the environment or after the target:'
	@echo '  ARGS=…                           what follows the command: make demo ARGS=--once, make test ARGS=hiring'
	@echo '  CALLSLIP_WASM_TARGET=auto        where the wasm target comes from: rustup, debian, or auto, which is'
	@echo '                                   what is there already, else rustup, else Debian'"'"'s packages'
	@echo '  CALLSLIP_WASM_RUSTC=…            a rustc that has the wasm target already'
	@echo '  CALLSLIP_POSTGRESQL_VERSIONS=…   the folder of the PostgreSQL versions that the tests run on beside'
	@echo '                                   the machine'"'"'s own'
	@echo '  CALLSLIP_PGBOUNCER=…             the PgBouncer that the tests put before PostgreSQL'
	@echo '  CALLSLIP_EVERY_POSTGRESQL=1      fail where one of these can'"'"'t be had, instead of testing without it'
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

# The Python that has SQLAlchemy, or nothing, for what is compared with it.
with_sqlalchemy = python=$$(host/setup/sqlalchemy.sh) && export CALLSLIP_SQLALCHEMY_PYTHON=$$python &&

# The recipes of cargo begin with +, which hands it make's own job slots.

demo: setup ## Start a throw-away PostgreSQL, build and load the example plugins, and serve them
	+@$(with_wasm_rustc) $(CARGO) run -p callslip -- demo $(ARGS)

# Whatever runs on a host runs a second time on one that is behind a pooler.
test: setup-tests ## Run every test
	+@$(with_versions) $(with_pgbouncer) $(with_wasm_rustc) $(CARGO) test --workspace $(ARGS)
	+@$(with_pgbouncer) export CALLSLIP_TEST_POOLER=pgbouncer && \
	    $(with_wasm_rustc) $(CARGO) test --workspace --test it $(ARGS)

bench: setup ## Run the benchmarks
	@host/setup/libclang.sh
	+@$(with_sqlalchemy) $(with_wasm_rustc) $(CARGO) bench -p callslip-tests $(ARGS)

# libFuzzer steers by these, which stable Rust can do too; with --target build scripts go without.
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares

fuzz: ## Fuzz what plugins can send, a minute for each target; ARGS=-max_total_time=3600 for an hour
	@host/setup/postgresql.sh >/dev/null
	@host/setup/libclang.sh
	+@machine=$$(rustc -vV | sed -n 's/^host: //p') && cd tests/fuzz && for target in decode describe; do \
	    mkdir -p corpus/$$target artifacts && \
	    RUSTFLAGS='$(FUZZ_FLAGS)' $(CARGO) run --release --target $$machine --bin $$target -- corpus/$$target \
	        -artifact_prefix=artifacts/$$target- -max_total_time=60 -max_len=1024 -len_control=0 -timeout=10 $(ARGS) || exit 1; \
	done

lint: ## Check formatting, lints, documentation, every feature by itself, and the shell scripts
	@host/setup/libclang.sh
	@$(CARGO) fmt --check
	+$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	+RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --workspace
	+$(CARGO) clippy -p callslip --no-default-features -- -D warnings
	+set -e; for feature in $(FEATURES); do \
	    echo "feature $$feature" >&2; \
	    $(CARGO) clippy -p callslip --no-default-features --features $$feature -- -D warnings; \
	done
	@if command -v shellcheck >/dev/null; then shellcheck -x host/setup/*.sh .ci/run; fi

clean: ## Remove what was built; the wasm target and PostgreSQL stay
	$(CARGO) clean
