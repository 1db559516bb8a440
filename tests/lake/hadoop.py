"""A Hadoop cluster of one name node and one data node, each a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import hdfs_native
import pytest
from tests.ports import free_ports

CLASSPATH = "HADOOP_CLASSPATH"
NAME_NODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATA_NODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
# What older releases of Hadoop need of newer ones of Java.
OPEN = [
    f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.lang", "java.net", "java.nio", "java.util")
]


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Its address. Skips the test where there is no Hadoop, which is too large to be installed for it."""
    if not (jars := os.environ.get(CLASSPATH)):
        pytest.skip(
            f"no Hadoop: {CLASSPATH} does not say where its jars are (what `hadoop classpath` prints)"
        )
    ports = free_ports(6)
    address = f"hdfs://127.0.0.1:{ports[0]}"
    _configure(folder, address, ports)
    java = ["java", "-Xmx256m", *OPEN, "-cp", f"{folder}:{jars}"]
    with (folder / "log").open("wb") as log, ExitStack() as stack:
        subprocess.run([*java, NAME_NODE, "-format", "-force"], check=True, stdout=log, stderr=log)
        for node in (NAME_NODE, DATA_NODE):
            stack.enter_context(_running([*java, node], log.fileno()))
        _wait_for(address, folder / "log")
        yield address


def _configure(folder: Path, address: str, ports: list[int]) -> None:
    for name in ("webapps/hdfs", "webapps/datanode"):
        (folder / name).mkdir(parents=True)
    settings = {
        "dfs.namenode.name.dir": folder / "names",
        "dfs.datanode.data.dir": folder / "data",
        "dfs.replication": 1,
        "dfs.permissions.enabled": "false",
        "dfs.webhdfs.enabled": "false",
    }
    addresses = ("namenode.http-address", "datanode.address", "datanode.http.address", "datanode.ipc.address")
    settings |= {f"dfs.{name}": f"127.0.0.1:{port}" for name, port in zip(addresses, ports[1:], strict=False)}
    for file, values in (("core", {"fs.defaultFS": address}), ("hdfs", settings)):
        properties = "".join(
            f"<property><name>{name}</name><value>{value}</value></property>"
            for name, value in values.items()
        )
        (folder / f"{file}-site.xml").write_text(f"<configuration>{properties}</configuration>")


@contextmanager
def _running(command: list[str], log: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _wait_for(address: str, log: Path) -> None:
    """Until a file can be written, which takes both nodes."""
    for _ in range(120):
        try:
            with hdfs_native.Client(address).create(
                "/started", hdfs_native.WriteOptions(overwrite=True)
            ) as file:
                file.write(b"x")
        except (OSError, RuntimeError):
            time.sleep(0.5)
        else:
            return
    raise TimeoutError(log.read_text())
