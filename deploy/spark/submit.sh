#!/bin/sh
# Usage: deploy/spark/submit.sh MASTER [arguments of pharos run …]
#   MASTER   yarn, or spark://host:7077 of a standalone cluster
#   e.g.     deploy/spark/submit.sh yarn --config /mnt/pharos/pharos.yaml
#
# Runs `pharos run` on a cluster. Spark is the one that Pharos was tested with (in its own environment), so the
# cluster gives machines and nothing else. On every node there must be, at the same paths: Java 17, the
# environment (/opt/pharos) and the home folder, a shared file system (NFS 4, EFS, CephFS).
#
# The environment may name: PYTHON, EXECUTORS, EXECUTOR_CORES, EXECUTOR_MEMORY, DRIVER_MEMORY, and where they are
# elsewhere JAVA_HOME, HADOOP_CONF_DIR, STAGING (shared folder for YARN's own files).
set -eu

master=$1
shift
PYTHON=${PYTHON:-/opt/pharos/bin/python}
SPARK_HOME=$("$PYTHON" -c 'import pyspark; print(pyspark.__path__[0])')
export SPARK_HOME
# Executors, and the driver, run in the environment of Pharos.
export PYSPARK_PYTHON="$PYTHON" PYSPARK_DRIVER_PYTHON="$PYTHON"
here=$(cd "$(dirname "$0")" && pwd)

set -- "$here/pharos_run.py" run --engine spark "$@"
# The lake is a folder that every node has, also where Hadoop would take a path for one of HDFS.
set -- --conf spark.hadoop.fs.defaultFS=file:/// "$@"
set -- --conf "spark.executor.memory=${EXECUTOR_MEMORY:-6g}" "$@"
set -- --conf "spark.executor.cores=${EXECUTOR_CORES:-4}" "$@"
# Reading logs is Python's work, outside of Java's memory.
set -- --conf spark.executor.memoryOverheadFactor=0.4 "$@"
set -- --driver-memory "${DRIVER_MEMORY:-4g}" "$@"

if [ "$master" = yarn ]; then
    export HADOOP_CONF_DIR="${HADOOP_CONF_DIR:-/etc/hadoop/conf}"
    JAVA_HOME=${JAVA_HOME:-/usr/lib/jvm/jre-17}
    export JAVA_HOME
    # Nothing is sent to the nodes that they have already.
    PYSPARK_ARCHIVES_PATH=$(for file in "$SPARK_HOME"/python/lib/*.zip; do printf 'local:%s,' "$file"; done)
    export PYSPARK_ARCHIVES_PATH="${PYSPARK_ARCHIVES_PATH%,}"
    set -- --conf "spark.yarn.jars=local:$SPARK_HOME/jars/*" "$@"
    set -- --conf "spark.yarn.stagingDir=file://${STAGING:-/mnt/pharos/.spark}" "$@"
    set -- --conf "spark.executorEnv.JAVA_HOME=$JAVA_HOME" "$@"
    set -- --conf "spark.yarn.appMasterEnv.JAVA_HOME=$JAVA_HOME" "$@"
    # The computation asks for as many executors as it has work for.
    set -- --conf spark.dynamicAllocation.enabled=true "$@"
    set -- --conf spark.dynamicAllocation.shuffleTracking.enabled=true "$@"
    set -- --conf "spark.dynamicAllocation.maxExecutors=${EXECUTORS:-20}" "$@"
else
    set -- --conf "spark.cores.max=$((${EXECUTORS:-20} * ${EXECUTOR_CORES:-4}))" "$@"
fi
exec "$SPARK_HOME/bin/spark-submit" --master "$master" --deploy-mode client "$@"
