"""What a browser keeps: it opens for its purpose, its holder and its time, and not otherwise."""

from datetime import UTC, datetime, timedelta

import pytest

from jimm.registry.crypto import Sealer, new_key
from jimm.web.envelope import Envelope

LIFE = timedelta(minutes=10)
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_opens_where_it_belongs() -> None:
    key, now = new_key(), START

    def clock() -> datetime:
        return now

    envelope, replica = Envelope(Sealer(key), clock), Envelope(Sealer(key), clock)
    text = envelope.seal("form", {"a": "ü"}, life=LIFE, holder="me")
    assert replica.open("form", text, holder="me") == {"a": "ü"}
    assert envelope.open("other", text, holder="me") is None
    assert envelope.open("form", text, holder="you") is None
    assert Envelope(Sealer(new_key()), clock).open("form", text, holder="me") is None
    now = START + LIFE
    assert envelope.open("form", text, holder="me") is None


@pytest.mark.parametrize("text", ["", "A", "AAAA", "é", "A" * 5000, "=", "\x00"])
def test_anything_else_opens_nothing(text: str) -> None:
    assert Envelope(Sealer(new_key()), lambda: START).open("form", text) is None
