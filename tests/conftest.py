"""Fixtures come from plugins named ``fix_*``, one per thing that they give."""

pytest_plugins = [
    "tests.fix_dev",
    "tests.fix_migration",
    "tests.fix_node",
    "tests.fix_postgres",
    "tests.fix_registry",
    "tests.fix_simulator",
]
