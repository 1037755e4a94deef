#!/usr/bin/env python3
"""Tests of the linter: each rule on a small tree that breaks it, and on one that does not."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import tidy  # noqa: E402


class TidyTest(unittest.TestCase):
    def check(self, files):
        """The problems of a tree of {path: text}, as 'path:line: problem'."""
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                file = pathlib.Path(folder) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return [
                f"{path}:{number}: {problem}"
                for path, number, problem in tidy.check_tree(pathlib.Path(folder))
            ]

    def assert_clean(self, path, text):
        self.assertEqual([], self.check({path: text}))

    def assert_problem(self, expected, path, text):
        found = self.check({path: text})
        self.assertTrue(any(expected in problem for problem in found), found)

    def test_layers(self):
        self.assert_problem(
            "base may not include wire", "src/base/a.cc", '#include "weir/wire/otlp.h"\n'
        )
        self.assert_problem(
            "wire may not include net", "include/weir/wire/a.h", '// A.\n#include "net/tls.h"\n'
        )
        self.assert_problem(
            "may not include a component",
            "src/receivers/otlp/a.cc",
            '#include "receivers/kafka/a.h"\n',
        )
        self.assert_problem(
            "may not include a component",
            "src/service/a.cc",
            '#include "exporters/kafka/factory.h"\n',
        )
        self.assert_problem(
            "may not include pipeline", "src/receivers/otlp/a.cc", '#include "pipeline/lane.h"\n'
        )
        self.assert_problem(
            "may not include component", "src/net/a.cc", '#include "weir/component/batch.h"\n'
        )
        self.assert_problem("no such layer: utils", "src/utils/a.cc", "int a;\n")
        self.assert_clean(
            "src/receivers/otlp/a.cc",
            '#include "net/tls.h"\n#include "receivers/otlp/config.h"\n'
            '#include "weir/component/batch.h"\n',
        )
        self.assert_clean("src/service/a.cc", '#include "pipeline/lane.h"\n#include "net/tls.h"\n')
        self.assert_clean("tests/base/a_test.cc", '#include "weir/component/batch.h"\n')

    def test_third_party_homes(self):
        for path, include in (
            ("src/base/a.cc", "<nghttp2/nghttp2.h>"),
            ("src/pipeline/a.cc", '"grpcpp/grpcpp.h"'),
            ("src/net/a.cc", '"yaml-cpp/yaml.h"'),
            ("src/exporters/otlp/a.cc", "<librdkafka/rdkafka.h>"),
            ("src/processors/attributes/a.cc", "<openssl/ssl.h>"),
            ("src/net/a.cc", '"spdlog/spdlog.h"'),
            ("src/wire/a.cc", '"opentelemetry/proto/trace/v1/trace.pb.h"'),
            ("src/component/a.cc", '"prometheus/counter.h"'),
        ):
            self.assert_problem("may be included in", path, f"#include {include}\n")
        for path, include in (
            ("src/net/a.cc", "<nghttp2/nghttp2.h>"),
            ("src/kafka/a.cc", "<librdkafka/rdkafka.h>"),
            ("src/processors/attributes/a.cc", "<openssl/sha.h>"),
            ("src/config/a.cc", '"yaml-cpp/yaml.h"'),
            ("tests/wire/a_test.cc", '"opentelemetry/proto/trace/v1/trace.pb.h"'),
            ("src/base/a.cc", '"fmt/format.h"'),
            ("src/base/a.cc", "<vector>"),
        ):
            self.assert_clean(path, f"#include {include}\n")

    def test_sizes(self):
        self.assert_problem("longer than 100", "src/base/a.cc", "int " + "a" * 100 + ";\n")
        self.assert_problem("more than 500 lines", "src/base/a.cc", "int a;\n" * 501)
        body = "  a();\n" * 70
        self.assert_problem("a function of 72 lines", "src/base/a.cc", f"void F() {{\n{body}}}\n")
        self.assert_problem(
            "a function of 73 lines",
            "src/base/a.cc",
            f"void F(int a,\n       int b) {{\n{body}}}\n",
        )
        self.assert_problem(
            "a function of 72 lines",
            "src/base/a.cc",
            "class A {\n public:\n  void F() {\n" + "    a();\n" * 70 + "  }\n};\n",
        )
        self.assert_clean("src/base/a.cc", f"void F() {{\n{body[:68 * 7]}}}\n")
        self.assert_clean("src/base/a.cc", "namespace a {\n" + "void F() {\n}\n" * 40 + "}\n")
        self.assert_clean("src/base/a.cc", "class A {\n" + "  void F();\n" * 80 + "};\n")

    def test_header_comment(self):
        self.assert_problem("starts with a comment", "include/weir/base/a.h", "#ifndef A\n")
        self.assert_clean("include/weir/base/a.h", "// A is for this.\n#ifndef A\n")

    def test_banned(self):
        for code in (
            "using namespace std;",
            "std::cout << 1;",
            "auto* a = new A();",
            "volatile int a;",
            "assert(a);",
            "x.load(std::memory_order_seq_cst);",
            "// TODO: later",
            'getenv("HOME");',
            "throw 1;",
        ):
            self.assert_problem("banned", "src/base/a.cc", code + "\n")
        for code in (
            "using namespace std::string_literals;",
            "static_assert(true);",
            "// it will throw std::bad_alloc",
            'Log("use new A() or throw 1");',
            "new_value(1);",
            "std::unique_ptr<A> a(new A());",
            "return std::shared_ptr<A>(new A(1));",
            "throw std::bad_alloc();",
        ):
            self.assert_clean("src/base/a.cc", code + "\n")
        self.assert_problem(
            "banned: sleep", "tests/base/a_test.cc", "std::this_thread::sleep_for(1s);\n"
        )
        self.assert_clean("src/app/a.cc", 'getenv("HOME");\n')

    def test_excuse_names_the_rule_and_a_reason(self):
        code = "  auto* a = new A();\n"
        self.assert_clean("src/base/a.cc", "  // tidy-allow(new): the C library frees it.\n" + code)
        self.assert_problem("banned: new", "src/base/a.cc", "  // tidy-allow(new):\n" + code)
        self.assert_problem("banned: new", "src/base/a.cc", "  // tidy-allow(stream): why\n" + code)

        table = "int F() {\n" + "  a();\n" * 90 + "}\n"
        self.assert_clean("src/base/a.cc", "// tidy-allow(length): a table.\n" + table)

    def test_tree(self):
        self.assert_problem("somebody's machine", "docs/a.md", "see /wo" + "rk/main/a\n")
        self.assert_problem("registry", "scripts/a.sh", "curl https://pypi" + ".org/simple/a\n")
        self.assert_problem("registry", "scripts/a.sh", "GOPROXY=https://proxy" + ".golang.org\n")
        self.assert_clean(
            "docs/a.md",
            "github.com/open-telemetry, http://maven.apache.org/POM/4.0.0, /workers/a, ~/.cache\n",
        )


if __name__ == "__main__":
    unittest.main()
