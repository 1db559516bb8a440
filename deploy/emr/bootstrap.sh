#!/bin/bash
# Bootstrap action of EMR 7 (Amazon Linux 2023): makes a node ready for Pharos, before Hadoop starts on it.
# Usage: bootstrap.sh RELEASE FILE_SYSTEM ACCESS_POINT
#   RELEASE        s3:// folder with what emr/release.sh has put there
#   FILE_SYSTEM    id of the EFS file system of the home folder
#   ACCESS_POINT   id of its access point; every node writes as the same user through it
set -euo pipefail
release=$1 file_system=$2 access_point=$3

# Python 3.11, because EMR's own is 3.9; the system's stays what it is.
sudo dnf install --assumeyes --quiet python3.11 python3.11-pip amazon-efs-utils

sudo install -d -o hadoop -g hadoop /opt/pharos
aws s3 cp --recursive --only-show-errors "$release/" /opt/pharos/release/
python3.11 -m venv /opt/pharos
pip=(/opt/pharos/bin/pip install --quiet --disable-pip-version-check --no-deps)
"${pip[@]}" --require-hashes -r /opt/pharos/release/run.txt
"${pip[@]}" --require-hashes -r /opt/pharos/release/spark.txt
"${pip[@]}" /opt/pharos/release/pharos-*.whl
chmod +x /opt/pharos/release/deploy/*/*.sh

sudo install -d /mnt/pharos
sudo mount -t efs -o "tls,iam,accesspoint=$access_point" "$file_system" /mnt/pharos
