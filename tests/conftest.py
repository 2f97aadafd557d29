"""Fixtures come from plugins named ``fix_*``, one per thing that they give."""

import signal

pytest_plugins = [
    "tests.fix_dev",
    "tests.fix_migration",
    "tests.fix_node",
    "tests.fix_postgres",
    "tests.fix_programs",
    "tests.fix_registry",
    "tests.fix_simulator",
]


def pytest_configure() -> None:
    """Ctrl-C reaches what the tests start, though a shell has put the run into its background:
    there it is ignored, and whoever is started inherits that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
