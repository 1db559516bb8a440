#!/bin/bash
# The step of the cluster: Pharos on YARN, with the secrets that are named by their ARN.
# Usage: run.sh SETTINGS NAME=ARN… -- [arguments of pharos run …]
#   SETTINGS       parameter of Systems Manager that holds pharos.yaml
#   NAME=ARN       a setting as variable, and the secret that is its value
#   NAME=ARN#KEY   the secret is JSON, and KEY one of its keys
set -euo pipefail

settings=$(mktemp)
aws ssm get-parameter --name "$1" --query Parameter.Value --output text >"$settings"
shift
while [ "$1" != -- ]; do
    name=${1%%=*} secret=${1#*=}
    key=
    if [[ $secret == *#* ]]; then key=${secret#*#} secret=${secret%%#*}; fi
    value=$(aws secretsmanager get-secret-value --secret-id "$secret" --query SecretString --output text)
    if [ -n "$key" ]; then
        value=$(printf '%s' "$value" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$key")
    fi
    export "$name=$value"
    shift
done
shift
exec /opt/pharos/release/deploy/spark/submit.sh yarn --config "$settings" "$@"
