#!/bin/sh
# Usage: deploy/emr/release.sh s3://BUCKET/FOLDER
# Puts what the nodes of a cluster install into a folder of an object store: the program, the lists of packages
# with their hashes, and the scripts of deploy/. Run in a checkout of the release.
set -eu
target=$1
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip wheel --quiet --no-deps --wheel-dir "$folder" .
cp requirements/run.txt "$folder/run.txt"
awk '/^(py4j|pyspark|hdfs-native|obstore|fsspec|argcomplete)==/,/[^\\]$/' requirements/dev.txt >"$folder/spark.txt"
mkdir "$folder/deploy"
cp -R deploy/emr deploy/spark "$folder/deploy/"
aws s3 sync --delete "$folder/" "$target/"
