#!/usr/bin/env python3
"""Checks what the compiler cannot: layers, homes of third-party headers, sizes, banned constructs.

Runs as a test, so a violation fails the build like any other defect. Usage: tidy.py <source root>

A line is excused by a comment on it or above it that names the rule and says why:
    // tidy-allow(new): the C library frees it.
"""

import pathlib
import re
import sys

COLUMNS_MAX = 100
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
COMPONENT_KINDS = ("receivers", "processors", "exporters", "connectors", "extensions")

# A folder may include itself and everything listed here. Absent means forbidden. A component's
# folder never includes another's, the pipeline or the service.
CONTRACT = {"base", "wire", "config", "telemetry", "component"}
MAY_INCLUDE = {
    "base": set(),
    "wire": {"base"},
    "config": {"base"},
    "telemetry": {"base", "wire"},
    "codec": {"base", "wire"},
    "net": {"base", "config", "telemetry"},
    "component": {"base", "wire", "config", "telemetry"},
    "journal": {"base", "wire", "telemetry"},
    "testkit": CONTRACT,
    "kafka": CONTRACT | {"net"},
    "pipeline": {"base", "wire", "telemetry", "component", "journal"},
    "component folders": CONTRACT | {"codec", "net", "kafka"},
    "load": {"base", "wire", "config", "telemetry", "net"},
    "service": CONTRACT | {"journal", "net", "pipeline"},
    "app": CONTRACT | {"journal", "load", "net", "service"},
}

# Where the headers of a third-party library may be included: folders, or kinds of components.
THIRD_PARTY = {
    r"nghttp2/": {"net"},
    r"curl/": {"net"},
    # Hashes of values and passwords; the rest of the library is for TLS.
    r"openssl/(evp|sha|md5|hmac)\.h": {"component", "extensions", "net", "processors"},
    r"openssl/": {"net"},
    r"grpc(pp)?/": {"net", "receivers", "exporters"},
    r"librdkafka/": {"kafka"},
    r"yaml-cpp/": {"config"},
    r"prometheus/": {"telemetry"},
    r"spdlog/": {"telemetry"},
    r"simdjson": {"wire", "codec"},
    r"CLI/": {"app"},
    r"re2/": {"component", "processors", "connectors", "exporters"},
    r"(lib)?(zstd|deflate|lz4|lz4frame|snappy|snappy-sinksource|zstd_errors)\.h": {
        "net",
        "codec",
        "exporters",
        "receivers",
    },
    r"isa-l/": {"journal", "net"},
    r"(google/protobuf|opentelemetry/proto)/|.*\.pb\.h$": {"codec"},
    r"g(test|mock)/": {"testkit"},
}

# rule -> (pattern, advice, where it holds)
BANNED = {
    "using-namespace": (
        r"\busing namespace (?!\S*literals)",
        "spell the namespace out",
        "src tests",
    ),
    "stream": (r"\bstd::(cout|cerr|endl)\b", "use the logger", "src"),
    "sleep": (
        r"\b(sleep_for|sleep_until|usleep|nanosleep)\b",
        "wait for an event instead",
        "tests",
    ),
    "new": (
        r"(?<!\()\bnew [A-Za-z_:]+[({]|^(?!.*_ptr<).*\(new [A-Za-z_:]+[({]",
        "use std::make_unique, or hand it to a smart pointer on the spot",
        "src",
    ),
    "volatile": (r"\bvolatile\b", "use std::atomic", "src"),
    "assert": (r"(?<![_\w])assert\(", "use WEIR_CHECK or WEIR_DCHECK", "src tests"),
    "seq-cst": (r"\bmemory_order_seq_cst\b", "name a weaker memory order, or say why not", "src"),
    "left-over": (
        r"\b(FIXME|TODO|XXX)\b|\bdbg\(",
        "finish it or file an issue",
        "comments src tests",
    ),
    "getenv": (r"\bgetenv\(", "read the environment in app only", "src"),
    "exception": (r"\bthrow\b(?! *\(| std::bad_alloc)", "return absl::Status", "src"),
}
GETENV_HOMES = ("app", "config")  # config expands ${env:NAME}.

# What must not stand anywhere in the tree. Written so that this file does not match itself.
TREE_BANNED = {
    r"(?<![\w.])/(work|root)/(?!\.)\w": "a path of somebody's machine",
    r"(pypi|crates|npmjs|golang|maven|debian)\.(org|io|com)/(simple|maven2|debian|sumdb)": "a registry's address",
    r"\b(proxy|sum)\.golang\.org|registry\.npmjs|repo1?\.maven|deb\.debian\.org|files\.pythonhosted": "a registry's host",
}
TEXT_SUFFIXES = {
    ".h",
    ".cc",
    ".py",
    ".sh",
    ".md",
    ".yaml",
    ".yml",
    ".txt",
    ".cmake",
    ".json",
    ".proto",
    ".java",
    ".xml",
    ".service",
    ".in",
    "",
}
SKIPPED_FOLDERS = {".git", "build", ".cache", "__pycache__", "node_modules", "corpus", "testdata"}
CONTROL = re.compile(
    r"(if|for|while|switch|else|do|namespace|class|struct|enum|union|extern|template)\b"
)


def layer_of(path):
    """Maps 'receivers/statsd/config.h' to its folder and 'weir/base/check.h' to 'base'."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[0] == "weir":
        parts = parts[1:]
    return "/".join(parts[:2]) if parts[0] in COMPONENT_KINDS else parts[0]


def check_include(owner, include):
    """A layer violation as text, or None."""
    target = layer_of(include)
    if target == owner:
        return None
    if target.split("/")[0] in COMPONENT_KINDS:
        return f"{owner} may not include a component ({include})"
    allowed = MAY_INCLUDE["component folders" if "/" in owner else owner]
    return None if target in allowed else f"{owner} may not include {target} ({include})"


def check_third_party(owner, include):
    """A third-party header away from its home as text, or None."""
    for pattern, homes in THIRD_PARTY.items():
        if re.match(pattern, include):
            if owner in homes or owner.split("/")[0] in homes:
                return None
            return f"{include} may be included in {', '.join(sorted(homes))} only"
    return None


def indent_of(line):
    return len(line) - len(line.lstrip(" "))


def long_functions(lines):
    """Yields (line number, length) of functions over the limit, by indentation as clang-format leaves it."""
    starts = {}  # indentation -> line number of the last statement that began there
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith(("//", "#")):
            continue
        indent = indent_of(line)
        text = line.strip()
        if text.startswith("}"):
            start = starts.get(indent)
            head = lines[start - 1].strip() if start else ""
            if (
                head
                and "(" in head
                and not CONTROL.match(head)
                and number - start + 1 > FUNCTION_LINES_MAX
            ):
                yield start, number - start + 1
        else:
            starts[indent] = number


def excused(lines, number, rule):
    for line in lines[max(number - 2, 0) : number]:
        if re.search(rf"tidy-allow\({rule}\): \S", line):
            return True
    return False


def code_of(line):
    """The line without strings and comments."""
    return re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]


def check_banned(lines, number, line, where, owner):
    for rule, (pattern, advice, scope) in BANNED.items():
        if where not in scope.split() or (rule == "getenv" and owner in GETENV_HOMES):
            continue
        text = line if "comments" in scope.split() else code_of(line)
        if re.search(pattern, text) and not excused(lines, number, rule):
            yield f"banned: {rule} ({advice})"


def check_source(relative, lines):
    """Yields (line number, problem) of one C++ file."""
    where = "tests" if relative.parts[0] == "tests" else "src"
    owner = layer_of("/".join(relative.parts[1:]))
    # A factory.h is one declaration, the same in every component.
    opened = lines and lines[0].startswith("//")
    if relative.suffix == ".h" and not opened and relative.name != "factory.h":
        yield 1, "a header starts with a comment that says what it is for"
    if len(lines) > FILE_LINES_MAX:
        yield FILE_LINES_MAX + 1, f"more than {FILE_LINES_MAX} lines ({len(lines)})"
    if where == "src":
        for start, length in long_functions(lines):
            if not excused(lines, start, "length"):
                yield start, f"a function of {length} lines; {FUNCTION_LINES_MAX} are enough"
        if owner not in MAY_INCLUDE and "/" not in owner:
            yield 1, f"no such layer: {owner}"
            return
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and "#include" not in line:
            yield number, f"longer than {COLUMNS_MAX} columns"
        include = re.match(r'#include ["<](.+)[">]', line)
        if include and where == "src":
            first = include[1].split("/")[0]
            ours = "/" in include[1] and first in {"weir", *MAY_INCLUDE, *COMPONENT_KINDS}
            # <prometheus/...> and the like are never ours; ours are always quoted.
            check = check_include if ours and '"' in line else check_third_party
            if problem := check(owner, include[1]):
                yield number, problem
        for problem in check_banned(lines, number, line, where, owner):
            yield number, problem


def check_text(lines):
    """Yields (line number, problem) of any file of the tree."""
    for number, line in enumerate(lines, 1):
        for pattern, what in TREE_BANNED.items():
            if re.search(pattern, line):
                yield number, f"{what} does not belong into the tree"


def files_of(root):
    for file in sorted(root.rglob("*")):
        relative = file.relative_to(root)
        if (
            file.is_file()
            and not SKIPPED_FOLDERS & set(relative.parts)
            and file.suffix in TEXT_SUFFIXES
        ):
            yield file, relative


def check_tree(root):
    """Yields (path, line number, problem) for the whole tree."""
    for file, relative in files_of(root):
        try:
            lines = file.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for number, problem in check_text(lines):
            yield relative, number, problem
        if relative.suffix in (".h", ".cc") and relative.parts[0] in ("include", "src", "tests"):
            for number, problem in check_source(relative, lines):
                yield relative, number, problem


def main():
    problems = 0
    for path, number, problem in check_tree(pathlib.Path(sys.argv[1])):
        print(f"{path}:{number}: {problem}")
        problems += 1
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
