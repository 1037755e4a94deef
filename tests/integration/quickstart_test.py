#!/usr/bin/env python3
"""The quickstart as a newcomer starts it, and every example under config/."""

import os
import pathlib
import re
import subprocess
import tempfile

from harness import daemon, items, only_weir, ports, unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@only_weir
class QuickstartTest(unittest.TestCase):
    def test_without_a_terminal_it_sends_itself_a_sample(self):
        names = ("WEIR_GRPC_PORT", "WEIR_HTTP_PORT", "WEIR_METRICS_PORT")
        folder = self.enterContext(tempfile.TemporaryDirectory())
        chosen = {name: str(port) for name, port in zip(names, ports.free_ports(3))}
        result = subprocess.run(
            [str(ROOT / "deploy" / "quickstart"), "--for", "5s"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            env=dict(os.environ, WEIR_DATA=folder, **chosen),
        )
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        for signal in ("spans", "data points", "log records"):
            found = re.search(rf"(\d+) {signal}", result.stdout)
            self.assertTrue(found and int(found[1]) > 0, result.stdout)
        for signal in items.SIGNALS:
            lines = (pathlib.Path(folder) / f"{signal}.jsonl").read_bytes().splitlines()
            self.assertTrue(lines)
            for line in lines:
                items.from_json(signal, line)

    def test_every_example_is_valid(self):
        examples = sorted((ROOT / "config").glob("*.yaml"))
        self.assertTrue(examples)
        for example in examples:
            with self.subTest(example.name):
                result = daemon.run("validate", "--config", str(example))
                self.assertEqual(0, result.returncode, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
