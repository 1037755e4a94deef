"""Where the tests keep what they download or build once: jars, tools, the Python environment.

scripts/install_deps.sh uses the same folder. WEIR_TEST_CACHE moves it.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(
    os.environ.get("WEIR_TEST_CACHE") or pathlib.Path.home() / ".cache" / "weir-tests"
)


def tool(name):
    """The path of a tool that install_deps.sh left in the cache, or that the machine has."""
    cached = CACHE / "bin" / name
    found = str(cached) if cached.exists() else shutil.which(name)
    if not found:
        raise FileNotFoundError(f"{name} is missing: run scripts/install_deps.sh test")
    return found


def maven_jars(pom):
    """The class path of a POM's runtime dependencies, fetched once for each content of the POM.

    Safe against two test processes that start at the same time: the second waits for the first.
    """
    pom = pathlib.Path(pom)
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    folder = CACHE / f"{pom.parent.name}-{digest}"
    done = folder / "done"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            subprocess.run(
                [
                    "mvn",
                    "-q",
                    "-B",
                    "-f",
                    str(pom),
                    "dependency:copy-dependencies",
                    f"-DoutputDirectory={folder}/libs",
                    "-DincludeScope=runtime",
                ],
                check=True,
                stdin=subprocess.DEVNULL,
            )
            done.touch()
    return f"{folder}/libs/*"
