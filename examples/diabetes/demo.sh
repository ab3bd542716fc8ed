#!/bin/sh
# From the data to a served model: demo.sh [options of greenroom serve]
set -eu

step() { printf '\n→ %s\n' "$1"; }

step "train and push"
python train.py
step "test"
greenroom test
step "promote"
greenroom promote --to production
step "serve"
cat <<'TRY'
try it from another terminal:
curl -X POST http://localhost:5000/predict -H "Content-Type: application/json" -d '[6, 148, 72, 35, 0, 33.6, 0.627, 50]'
TRY
exec greenroom serve "$@"
