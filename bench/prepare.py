"""Run by itself, with the environment of ``jimm serve``: schema, authority, users.

It imports the JIMM of whatever tree is on the path. Users and their passwords come as JSON on
standard input; the authority's certificate goes to standard output.
"""

import asyncio
import json
import sys

from jimm import accounts
from jimm.registry import schema
from jimm.registry.authority import own_authority
from jimm.registry.crypto import Sealer, load_keys
from jimm.registry.session import Registry
from jimm.settings import Settings


async def prepare(settings: Settings, passwords: dict[str, str]) -> str:
    """Makes the users; gives the authority."""
    for name, password in passwords.items():
        await accounts.add(settings, name, password, admin=name == "admin")
    registry = Registry(settings.database_url.get_secret_value(), pool_size=1)
    try:
        sealer = Sealer(*load_keys(settings.secret_key_file))
        return (await own_authority(registry, sealer)).certificate_pem
    finally:
        await registry.aclose()


def main() -> None:
    """Does all of it."""
    settings = Settings()
    schema.upgrade(settings.database_url.get_secret_value())
    sys.stdout.write(asyncio.run(prepare(settings, json.load(sys.stdin))))


if __name__ == "__main__":
    main()
