"""Runs the scenarios: see `run` beside this file for the command line, README.md for what a scenario file holds."""

import argparse
import json
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import measure  # noqa: E402
import payloads  # noqa: E402
import report  # noqa: E402
from subject import ROOT, TOOLS, Sink, Subject  # noqa: E402

import kafka  # noqa: E402  (tests/support, put on the path by subject)


def load_scenarios(only):
    scenarios = []
    for path in sorted((HERE / "scenarios").glob("*.yaml")):
        scenario = yaml.safe_load(path.read_text())
        scenario["name"] = path.stem.split("_", 1)[1]
        scenario.setdefault("kind", "throughput")
        if "subjects" not in scenario:
            scenario["subjects"] = {
                "weir": {"config": scenario.get("config_weir", scenario.get("config"))},
                "collector": {"config": scenario.get("config_collector", scenario.get("config"))},
            }
        scenarios.append(scenario)
    known = {scenario["name"] for scenario in scenarios}
    if unknown := set(only or ()) - known:
        sys.exit(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return [scenario for scenario in scenarios if not only or scenario["name"] in only]


class Environment:
    """What the scenarios of one run share: the sink, the broker, the binaries."""

    def __init__(self, options):
        self.factor = 10 if options.quick else 1
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-bench-"))
        self.sink = Sink(self.folder)
        self._options = options
        self._collectors = {}
        self._broker = None
        self._topics = {}
        self._half_capacity = {}
        self.capacity = (
            {}
        )  # Requests a second of the Collector in each scenario, as measured so far.

    def scale(self, number):
        return max(number // self.factor, 1)

    def collector(self, kind):
        if kind not in self._collectors:
            built = subprocess.run(
                [str(HERE / "build_collector.sh"), kind],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._collectors[kind] = built.stdout.strip()
        return self._collectors[kind]

    @property
    def broker(self):
        if self._broker is None:
            self._broker = kafka.Broker(
                properties={"log.retention.bytes": 8 * 2**30}, heap="512m"
            ).start()
        return self._broker

    def fill_topic(self, scenario):
        """Puts the scenario's messages into its topic, once a run; returns how many."""
        topic = f"{scenario['name']}-in"
        if topic not in self._topics:
            signal, count = scenario["payload"]["signal"], scenario["payload"]["items"]
            body = payloads.write(measure.PAYLOADS, signal, count, "http", "none")
            messages = self.scale(scenario["messages"])
            for done in range(0, messages, 500):
                self.broker.kcat(
                    "-P", "-t", topic, "-z", "lz4", *[str(body)] * min(500, messages - done)
                )
            self._topics[topic] = messages
        return self._topics[topic]

    def half_capacity(self, scenario):
        """Half of the requests a second that the Collector took in the scenario that this one names."""
        base = scenario["half_capacity_of"]
        if base not in self.capacity:
            other = next(each for each in load_scenarios(None) if each["name"] == base)
            run_one(other, "collector", self)
        return max(int(statistics.median(self.capacity[base]) / 2), 4)

    def command(self, scenario, name):
        program = scenario["subjects"][name].get(
            "program", "collector" if name == "collector" else "weir"
        )
        if program == "collector":
            return [self.collector(scenario.get("collector", "core")), "--config", "@CONFIG@"]
        return (
            [word for word in self._options.weir.split() if word]
            if " " in self._options.weir
            else [self._options.weir, "--config", "@CONFIG@"]
        )

    def close(self):
        self.sink.stop()
        if self._broker is not None:
            self._broker.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_one(scenario, name, environment):
    """One round of one subject."""
    values = {
        "SINK": environment.sink.port,
        "GROUP": f"g{random.getrandbits(32)}",
        "TOPIC": f"{scenario['name']}-in",
    }
    config = scenario["subjects"][name]["config"]
    command = environment.command(scenario, name)
    if "@BROKERS@" in config:
        values["BROKERS"] = environment.broker.bootstrap
    if scenario["kind"] == "kafka_in":
        environment.fill_topic(scenario)
    subject = Subject(name, command, config, values)
    try:
        if scenario["kind"] not in measure.NOT_WAITED_FOR:
            subject.wait_ready()
        result = measure.KINDS[scenario["kind"]](scenario, environment, subject)
    finally:
        subject.stop()
        shutil.rmtree(subject.folder, ignore_errors=True)
    if name == "collector" and scenario["kind"] == "throughput":
        environment.capacity.setdefault(scenario["name"], []).append(
            result["items_per_s"] / scenario["payload"]["items"]
        )
    return result


def run_relay():
    done = subprocess.run(
        [str(TOOLS / "weir_bench_relay"), "3"], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout)


def build(options):
    subprocess.run(
        ["cmake", "-S", str(HERE / "tools"), "-B", str(TOOLS), "-G", "Ninja"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    subprocess.run(["cmake", "--build", str(TOOLS)], check=True, stdout=subprocess.DEVNULL)
    if options.weir is None:
        options.weir = str(ROOT / "build" / "release" / "weir")
        subprocess.run(
            ["cmake", "--preset", "release"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL
        )
        subprocess.run(
            ["cmake", "--build", "--preset", "release", "-t", "weir"],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )


def machine():
    model = next(
        (
            line.split(":")[1].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    return f"{model}, {len(pathlib.os.sched_getaffinity(0))} cores, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", action="append", help="a scenario's name; may be repeated")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one round with a tenth of the load: does it run at all?",
    )
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json", type=pathlib.Path, help="every round's figures go here")
    parser.add_argument(
        "--weir",
        help="another binary in weir's place, or a whole command with @GRPC@, @SINK@, @CONFIG@",
    )
    parser.add_argument("--subject", action="append", help="only these subjects, for trying things")
    options = parser.parse_args()
    scenarios = load_scenarios(options.only)
    if options.list:
        for scenario in scenarios:
            print(f"{scenario['name']:24} {scenario['title']}")
        return 0
    rounds = options.rounds or (1 if options.quick else 3)
    build(options)
    environment = Environment(options)
    everything = {"machine": machine(), "rounds": {}, "scenarios": {}}
    relays, reached = [], True
    print(f"{everything['machine']}; {rounds} rounds, medians\n\n{report.HEAD}", flush=True)
    try:
        for scenario in scenarios:
            names = [
                name
                for name in scenario["subjects"]
                if not options.subject or name in options.subject
            ]
            figures = {name: [] for name in names}
            for number in range(rounds):
                if "relay_share_min" in scenario.get("goal", {}):
                    relays.append(run_relay())
                    everything["relay"] = statistics.median(relays)
                # Each goes first in turn, so that neither always has the warmer machine.
                for name in names[number % len(names) :] + names[: number % len(names)]:
                    figures[name].append(run_one(scenario, name, environment))
            everything["rounds"][scenario["name"]] = figures
            results = {name: report.medians(each) for name, each in figures.items()}
            everything["scenarios"][scenario["name"]] = results
            row, ok = report.scenario_rows(scenario, results, everything)
            reached = reached and ok
            print(row, flush=True)
    finally:
        environment.close()
        if options.json:
            options.json.write_text(json.dumps(everything, indent=1))
    if relays:
        print(f"\nBare relay: {everything['relay']:.0f} MB a CPU-second.")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
