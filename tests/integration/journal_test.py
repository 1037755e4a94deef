#!/usr/bin/env python3
"""The `weir journal` commands, on the journal of tests/journal/golden."""

import fcntl
import pathlib
import shutil
import struct
import subprocess
import tempfile

from harness import daemon, only_weir, unittest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "journal" / "golden" / "v1"
EXIT_USAGE, EXIT_START, EXIT_DAMAGED = 2, 3, 8


@only_weir
class JournalCommandTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.directory = pathlib.Path(folder.name) / "journal"
        shutil.copytree(GOLDEN, self.directory)

    def run_journal(self, command, *arguments):
        return subprocess.run(
            [str(daemon.binary()), "journal", command, str(self.directory), *arguments],
            capture_output=True,
            timeout=30,
        )

    def test_inspect(self):
        result = self.run_journal("inspect")
        self.assertEqual(result.returncode, 0, result.stderr)
        text = result.stdout.decode()
        self.assertIn("0000000000000001.segment: 4 records, 13 items", text)
        self.assertIn("kafka: 3 records", text)
        self.assertIn("otlp/2: 5 records", text)
        self.assertIn("in: 1234", text)

    def test_verify(self):
        self.assertEqual(self.run_journal("verify").returncode, 0)
        segment = self.directory / "0000000000000001.segment"
        content = bytearray(segment.read_bytes())
        content[400] ^= 1
        segment.write_bytes(content)
        result = self.run_journal("verify")
        self.assertEqual(result.returncode, EXIT_DAMAGED)
        self.assertIn(b"1 records are damaged", result.stdout)

    def test_export(self):
        output = self.directory / "out"
        result = self.run_journal(
            "export", "--reader", "kafka", "--signal", "traces", "--format", "otlp_proto", "-o", output
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        content = output.read_bytes()  # Record 6, of 600 bytes.
        self.assertEqual(struct.unpack(">I", content[:4])[0], 600)
        self.assertEqual(len(content), 604)
        result = self.run_journal("export", "--format", "otlp_proto")
        self.assertEqual(result.returncode, EXIT_USAGE)
        self.assertIn(b"use --signal", result.stderr)
        self.assertEqual(self.run_journal("export", "--reader", "nobody").returncode, EXIT_START)

    def test_forget(self):
        self.assertEqual(self.run_journal("forget", "nobody").returncode, EXIT_START)
        self.assertEqual(self.run_journal("forget", "otlp/2").returncode, 0)
        text = self.run_journal("inspect").stdout.decode()
        self.assertNotIn("otlp/2", text)
        self.assertIn("kafka: 3 records", text)
        self.assertIn("in: 1234", text)

    def test_a_locked_directory_is_left_alone(self):
        with open(self.directory / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command, *rest in (["inspect"], ["verify"], ["export"], ["forget", "kafka"]):
                result = self.run_journal(command, *rest)
                self.assertEqual(result.returncode, EXIT_START)
                self.assertIn(b"locked", result.stderr)


if __name__ == "__main__":
    unittest.main()
