"""What `juju` sends for each command, replayed as it was recorded."""

import asyncio

import pytest

from tests.fix_dev import Dev
from tests.juju_schema import Schema
from tests.system.conversations.conversation import Conversation, every
from tests.system.conversations.replay import performance
from tests.system.conversations.stage import session_token, staged

DEADLINE = 30.0


@pytest.fixture(scope="module")
def schema() -> Schema:
    """Read once."""
    return Schema()


@pytest.fixture(scope="module")
def tokens(dev: Dev) -> dict[str, str]:
    """A session token for each user, as `juju login` leaves one behind."""
    return {user: session_token(dev, user) for user in ("admin", "alice")}


@pytest.mark.parametrize(
    "conversation", every(), ids=lambda each: f"{each.file.parent.name}-{each.file.stem}"
)
async def test_the_client_reads_every_reply(
    dev: Dev, schema: Schema, tokens: dict[str, str], conversation: Conversation
) -> None:
    async with (
        asyncio.timeout(DEADLINE),
        staged(dev, conversation.user, tokens[conversation.user], conversation.given) as names,
        performance(dev, conversation, names, schema) as replayed,
    ):
        await replayed.run()
