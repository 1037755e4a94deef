"""Free loopback ports, waiting for events, and child processes that don't outlive the test."""

import socket
import time


def free_port():
    """A TCP port that nobody listens on. It may be taken before it is used; callers retry."""
    return free_ports(1)[0]


def free_ports(count):
    """Distinct free ports: all are held until the last one is known."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def accepts(port, host="127.0.0.1"):
    """Does anything accept connections there?"""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def wait_for(condition, what, seconds=30.0, interval=0.02):
    """Polls until `condition()` is truthy and returns that value; fails with `what` after `seconds`.

    `what` may be a function, called only on failure, so that it can tell the last state.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds} s: {what() if callable(what) else what}")
        time.sleep(interval)


# In front of a command: the kernel kills it when the thread that started it ends. A preexec_fn would
# do the same by a real fork, which gRPC's threads in a test do not survive reliably.
DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"]
