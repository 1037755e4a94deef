#!/usr/bin/env python3
"""A component outside of the tree: weir is installed, and the example builds and runs against that.

The build that is installed is build/release, or $WEIR_PACKAGE_BUILD.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import Sender, daemon, items, only_weir, ports, request, unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_PACKAGE_BUILD") or ROOT / "build" / "release")

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 127.0.0.1:@GRPC@}
processors:
  stamp: {key: team, value: payments}
exporters:
  file: {path: @DIR@/out.jsonl}
service:
  pipelines:
    logs: {receivers: [otlp], processors: [stamp], exporters: [file]}
"""


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    if done.returncode != 0:
        raise AssertionError(f"{command} failed with {done.returncode}:\n{done.stdout[-8000:]}")
    return done.stdout


@only_weir
class ExampleComponentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.prefix, cls.build = cls.folder / "prefix", cls.folder / "build"
        run("cmake", "--build", BUILD, "-t", "package_targets")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        source = cls.folder / "source"  # Away from the tree, so that nothing of it is found.
        shutil.copytree(ROOT / "tests" / "integration" / "example_component", source)
        run("cmake", "-S", source, "-B", cls.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_PREFIX_PATH={cls.prefix}")  # fmt: skip
        run("cmake", "--build", cls.build)

    def test_the_package_is_complete(self):
        for path in ("bin/weir", "include/weir/app/main.h", "include/weir/testkit/harness.h",
                     "lib/libweir_component.a", "lib/cmake/weir/weirConfig.cmake",
                     "share/doc/weir/LICENSE"):  # fmt: skip
            self.assertTrue((self.prefix / path).is_file(), path)
        headers = {
            path.relative_to(self.prefix / "include")
            for path in (self.prefix / "include").rglob("*.h")
        }
        ours = {path.relative_to(ROOT / "include") for path in (ROOT / "include").rglob("*.h")}
        self.assertEqual(ours, headers)
        self.assertIn("weir", run(self.prefix / "bin" / "weir", "version"))

    def test_its_own_tests_pass(self):
        output = run("ctest", "--test-dir", self.build, "--output-on-failure")
        self.assertIn("100% tests passed, 0 tests failed out of 2", output)

    def test_a_weir_with_it_runs(self):
        own = self.build / "weir-stamp"
        self.assertIn("name: stamp", run(own, "components"))
        before = os.environ.get("WEIR_BINARY")
        os.environ["WEIR_BINARY"] = str(own)
        try:
            weir = daemon.Weir(CONFIG)
        finally:
            if before is None:
                del os.environ["WEIR_BINARY"]
            else:
                os.environ["WEIR_BINARY"] = before
        with weir, Sender(weir.port("GRPC")) as sender:
            sender.send("logs", request("logs", 7))
            out = weir.folder / "out.jsonl"
            ports.wait_for(lambda: out.exists() and out.read_bytes(), "nothing was written")
            weir.assert_ledger_closes()
            written = items.from_json("logs", out.read_bytes().splitlines()[0])
            records = written.resource_logs[0].scope_logs[0].log_records
            self.assertEqual(7, len(records))
            for record in records:
                attributes = {each.key: each.value for each in record.attributes}
                self.assertEqual("payments", attributes["team"].string_value)
            weir.stop()


if __name__ == "__main__":
    unittest.main()
