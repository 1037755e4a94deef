#!/usr/bin/env python3
"""scripts/new_component.sh on a copy of the tree: what it writes compiles and keeps the house's rules.

Usage: new_component_test.py [compiler]
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPILER = "c++"
KINDS = ("receiver", "processor", "exporter", "connector", "extension")


class NewComponentTest(unittest.TestCase):
    def setUp(self):
        self.tree = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for folder in ("src", "include", "scripts", "tests/tidy"):
            shutil.copytree(ROOT / folder, self.tree / folder)
        shutil.copy(ROOT / ".clang-format", self.tree)
        self.list = self.tree / "src" / "components.cmake"

    def make(self, *arguments):
        return subprocess.run(
            [self.tree / "scripts" / "new_component.sh", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    def lines(self):
        return [
            line for line in self.list.read_text().splitlines() if line.startswith("weir_component(")
        ]

    def test_every_kind_compiles_and_is_tidy(self):
        before = self.lines()
        include = []
        for kind in KINDS:
            done = self.make(kind, "brand_new")
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            for path in sorted((self.tree / "src" / f"{kind}s" / "brand_new").glob("*.cc")):
                include.append(f'#include "{path}"')
            include.append(f'#include "{self.tree}/tests/{kind}s/brand_new/{kind}_test.cc"')
            readme = (self.tree / "src" / f"{kind}s" / "brand_new" / "README.md").read_text()
            self.assertTrue(readme.startswith(f"# brand_new {kind}\n"))
        added = [f"weir_component({kind} brand_new)" for kind in KINDS]
        self.assertEqual(sorted(before + added), self.lines())

        unit = self.tree / "all.cc"
        unit.write_text("\n".join(include) + "\n")
        compiled = subprocess.run(
            [COMPILER, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
             "-Wno-missing-field-initializers", f"-I{self.tree}/src", f"-I{self.tree}/include", unit],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        self.assertEqual(0, compiled.returncode, compiled.stderr[-4000:])
        tidy = subprocess.run(
            [sys.executable, self.tree / "tests" / "tidy" / "tidy.py", self.tree],
            capture_output=True,
            text=True,
            check=False,
        )
        complaints = [line for line in tidy.stdout.splitlines() if "brand_new" in line]
        self.assertEqual([], complaints)

    def test_what_is_there_is_left_alone(self):
        self.assertEqual(0, self.make("processor", "brand_new").returncode)
        before = self.list.read_text()
        done = self.make("processor", "brand_new")
        self.assertEqual(1, done.returncode)
        self.assertIn("exists", done.stderr)
        self.assertEqual(before, self.list.read_text())

    def test_wrong_arguments(self):
        for arguments in ((), ("processor",), ("gadget", "x"), ("processor", "BrandNew"),
                          ("processor", "a-b"), ("processor", "../x"), ("receiver", "a", "b")):  # fmt: skip
            with self.subTest(arguments):
                self.assertEqual(2, self.make(*arguments).returncode)


if __name__ == "__main__":
    COMPILER = sys.argv.pop() if len(sys.argv) > 1 else os.environ.get("CXX", COMPILER)
    unittest.main()
