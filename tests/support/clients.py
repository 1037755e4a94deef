"""Real OTLP clients, not our own encoder: the Python and Java SDKs and telemetrygen, as processes.

Each function sends all three signals to a loopback port and returns when the client has exited; it
fails when the client did.
"""

import pathlib
import subprocess
import sys

import cache

HERE = pathlib.Path(__file__).resolve().parent


def _run(command, seconds=180):
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    # SDKs log export failures and exit with 0.
    output = result.stdout + result.stderr
    if (
        result.returncode != 0
        or "Failed to export" in output
        or "Exception while exporting" in output
    ):
        raise AssertionError(f"{command[0]} exited with {result.returncode}:\n{output[-4000:]}")


def _endpoint(port):
    return f"http://127.0.0.1:{port}"


def python_sdk(transport, port, count=200, compression="none"):
    _run(
        [
            sys.executable,
            str(HERE / "python_sdk_client.py"),
            transport,
            _endpoint(port),
            str(count),
            compression,
        ]
    )


def java_sdk(transport, port, count=200, compression="none"):
    class_path = cache.maven_jars(HERE / "java" / "pom.xml")
    _run(
        [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            class_path,
            str(HERE / "java" / "SendAll.java"),
            transport,
            _endpoint(port),
            str(count),
            compression,
        ]
    )


def telemetrygen(transport, port, count=200):
    for signal in ("traces", "metrics", "logs"):
        command = [
            cache.tool("telemetrygen"),
            signal,
            "--otlp-insecure",
            "--otlp-endpoint",
            f"127.0.0.1:{port}",
            "--otlp-attributes",
            'shop="north"',
            "--telemetry-attributes",
            "customer=42",
            f"--{signal}",
            str(count),
            "--workers",
            "2",
            "--rate",
            "0",
        ]
        if transport == "http":
            command.append("--otlp-http")
        _run(command)


CLIENTS = {"python": python_sdk, "java": java_sdk, "telemetrygen": telemetrygen}
