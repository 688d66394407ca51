"""What the Python scenarios share: where to connect to, and steps that are reported one line each."""

import os
import sys
import traceback

HOST = os.environ["CLIENT_HOST"]
PORT = int(os.environ["CLIENT_PORT"])
USER = os.environ["CLIENT_USER"]
PASSWORD = os.environ["CLIENT_PASSWORD"]
SCHEMA = os.environ["CLIENT_SCHEMA"]
CA = os.environ.get("CLIENT_CA", "")
FLAVOUR = os.environ.get("CLIENT_FLAVOUR", "mariadb")
# (plugin, port, user, password): every way to log in that this server has.
LOGINS = [
    (plugin, int(port), user, password)
    for plugin, port, user, password in (entry.split(":") for entry in os.environ.get("CLIENT_LOGINS", "").split())
]
TEXTS = ["Zoë 😀", "naïve ' \\ \" quotes", "名前", "", "tab\tnewline\n\0nul", "%_"]
BLOB = bytes(range(256)) * (8 * 1024 * 1024 // 256)


def step(name, *needs):
    """Runs the decorated function at once and reports it; it is not run where something that it needs is missing."""

    def run(function):
        if not all(needs):
            return function
        try:
            function()
        except BaseException as error:  # a client's own exit must not hide the steps that follow
            frame = traceback.extract_tb(sys.exc_info()[2])[-1]
            where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
            text = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"not ok {name}: {text[:300]} ({where})", flush=True)
        else:
            print(f"ok {name}", flush=True)
        return function

    return run


def fails(numbers, action):
    """The action fails with one of these error numbers."""
    try:
        action()
    except Exception as error:
        number = error.args[0] if error.args else None
        number = getattr(error, "errno", number)
        assert number in numbers, f"error {numbers} expected, not {error!r}"
    else:
        raise AssertionError(f"error {numbers} expected")


def equal(got, expected):
    assert got == expected, f"{str(got)[:120]!r} is not {str(expected)[:120]!r}"
