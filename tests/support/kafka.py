#!/usr/bin/env python3
"""A real Kafka broker for tests: one KRaft node from Maven Central's jars, on free loopback ports.

As a module:

    with kafka.Broker() as broker:
        broker.bootstrap        # "127.0.0.1:PORT"
        broker.stop()           # orderly; kill() is not
        broker.start()          # same port, same data

As a program it starts a broker and runs a command with WEIR_TEST_KAFKA set to its address, so that
the C++ tests can use one too:  kafka.py ctest --preset dev
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cache  # noqa: E402
import ports  # noqa: E402

POM = pathlib.Path(__file__).resolve().parent / "kafka" / "pom.xml"
CLUSTER_ID = "AAAAAAAAQACAAAAAAAAAAA"
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=true
{extra}
"""


class Broker:
    """One broker with its own temporary folder. `properties` are added to its configuration."""

    def __init__(self, properties=None, heap="384m"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-kafka-"))
        self.port, self._controller = ports.free_ports(2)
        self._properties = dict(properties or {})
        self._heap = heap
        self._class_path = cache.maven_jars(POM)
        self._process = None
        self._log = open(self.folder / "log.txt", "ab")

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self._process.pid

    def _java(self, *arguments):
        return [
            "java",
            f"-Xmx{self._heap}",
            "-Xms128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dlog4j2.disable.jmx=true",
            "-cp",
            self._class_path,
            *arguments,
        ]

    def start(self, seconds=90):
        """Starts the broker (formatting its storage the first time) and waits until it serves."""
        config = self.folder / "server.properties"
        if not config.exists():
            extra = "\n".join(f"{key}={value}" for key, value in self._properties.items())
            config.write_text(
                PROPERTIES.format(
                    port=self.port, controller=self._controller, folder=self.folder, extra=extra
                )
            )
            subprocess.run(
                self._java(
                    "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(config)
                ),
                check=True,
                stdout=self._log,
                stderr=self._log,
            )
        self._process = subprocess.Popen(
            [*ports.DIE_WITH_PARENT, *self._java("kafka.Kafka", str(config))],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        ports.wait_for(
            self._serves, lambda: f"Kafka did not start:\n{self.log()[-3000:]}", seconds, 0.1
        )
        return self

    def _serves(self):
        if self._process.poll() is not None:
            raise RuntimeError(
                f"Kafka exited with {self._process.returncode}:\n{self.log()[-3000:]}"
            )
        return ports.accepts(self.port) and self.topics() is not None

    def log(self):
        return (self.folder / "log.txt").read_text(errors="replace")

    def stop(self, seconds=60):
        """Orderly shutdown; the data stays, so that start() continues where this one left."""
        self._end(signal.SIGTERM, seconds)

    def kill(self):
        self._end(signal.SIGKILL, 10)

    def _end(self, number, seconds):
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._process = None

    def freeze(self):
        """The broker stops answering but its connections stay open, as in a long pause."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def topics(self):
        """Topic names with their partition counts, or None when no broker answers."""
        result = self.kcat("-L", "-m", "2", check=False)
        if result.returncode != 0:
            return None
        found = {}
        for line in result.stdout.decode().splitlines():
            words = line.split()
            if words[:1] == ["topic"]:
                found[words[1].strip('"')] = int(words[3])
        return found

    def create_topic(self, name, partitions=1, **configs):
        """Creates a topic through the admin tool, for tests that need more than one partition."""
        arguments = [
            "--bootstrap-server",
            self.bootstrap,
            "--create",
            "--topic",
            name,
            "--partitions",
            str(partitions),
            "--replication-factor",
            "1",
        ]
        for key, value in configs.items():
            arguments += ["--config", f"{key.replace('_', '.')}={value}"]
        subprocess.run(
            self._java("org.apache.kafka.tools.TopicCommand", *arguments),
            check=True,
            stdout=self._log,
            stderr=self._log,
        )

    def committed(self, group):
        """{(topic, partition): (committed offset, end offset)} of a consumer group."""
        result = subprocess.run(
            self._java(
                "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                "--bootstrap-server",
                self.bootstrap,
                "--describe",
                "--group",
                group,
            ),
            stdout=subprocess.PIPE,
            stderr=self._log,
            check=False,
        )
        offsets = {}
        for line in result.stdout.decode().splitlines():
            words = line.split()
            if len(words) > 5 and words[0] == group and words[3].isdigit():
                offsets[(words[1], int(words[2]))] = (int(words[3]), int(words[4]))
        return offsets

    def kcat(self, *arguments, data=None, check=True):
        return subprocess.run(
            [cache.tool("kcat"), "-b", self.bootstrap, *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=check,
        )

    def produce(self, topic, messages, *options):
        """Sends each of `messages` (bytes) as one record."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            names = []
            for number, message in enumerate(messages):
                name = pathlib.Path(folder) / str(number)
                name.write_bytes(message)
                names.append(str(name))
            for start in range(0, len(names), 500):
                self.kcat("-P", "-t", topic, *options, *names[start : start + 500])

    def close(self):
        if self._process is not None:
            self.kill()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def main():
    if len(sys.argv) < 2:
        print(f"usage: {sys.argv[0]} COMMAND...", file=sys.stderr)
        return 2
    with Broker() as broker:
        environment = dict(os.environ, WEIR_TEST_KAFKA=broker.bootstrap)
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
