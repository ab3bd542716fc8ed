#!/bin/sh
# Resolve every locked requirements file anew: lock.sh path/to/uv
set -eu
cd "$(dirname "$0")/.."
compile() {
  output=requirements/$1.lock
  shift
  "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
    --custom-compile-command "make lock" --python-version 3.11 --output-file "$output" "$@"
}
uv=$1
compile dev pyproject.toml --extra author --group dev
compile demo pyproject.toml --extra author --group build --group example --constraint requirements/dev.lock
compile serve pyproject.toml --constraint requirements/dev.lock
echo "uv" | compile uv -
