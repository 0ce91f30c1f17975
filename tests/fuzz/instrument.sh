#!/bin/sh
# What cargo runs in place of rustc for the crates of this workspace, when it makes the fuzz targets without optimisation
# (`make fuzz FUZZ_PROFILE=dev`): ours are instrumented with $FUZZ_FLAGS, and whatever they stand on is what the tests have
# built already.
set -eu

# Macros run in the compiler, and what has no coverage to steer by is left alone.
case " $* " in
*" --crate-type proc-macro "* | *" --crate-name build_script"*) exec "$@" ;;
esac
# shellcheck disable=SC2086  # flags, without blanks in them
exec "$@" ${FUZZ_FLAGS:-}
