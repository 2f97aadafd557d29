from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jimm.access.tokens import expiry, is_use_due, usable
from jimm.registry.identities import IdentityRecord
from jimm.registry.tokens import TokenLogin, TokenRecord

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALICE = IdentityRecord(1, "alice@jimm", "", NOW, None, None)
TOKEN = TokenRecord("t1", "", NOW, None, NOW + timedelta(hours=24), None)
LOGIN = TokenLogin(TOKEN, ALICE, admin=False, now=NOW)


@pytest.mark.parametrize(
    ("found", "is_usable"),
    [
        (LOGIN, True),
        (replace(LOGIN, token=replace(TOKEN, revoked_at=NOW)), False),
        (replace(LOGIN, token=replace(TOKEN, expires_at=NOW)), False),
        (replace(LOGIN, identity=replace(ALICE, disabled_at=NOW)), False),
    ],
)
def test_what_a_token_opens(found: TokenLogin, is_usable: bool) -> None:
    assert usable(found, NOW) is is_usable


def test_a_use_is_written_once_a_minute() -> None:
    assert is_use_due(TOKEN, NOW)
    used = replace(TOKEN, last_used_at=NOW)
    assert not is_use_due(used, NOW + timedelta(seconds=59))
    assert is_use_due(used, NOW + timedelta(seconds=60))


def test_a_token_in_use_lives_a_month() -> None:
    token, now = TOKEN, NOW
    while token.expires_at > now:
        now += timedelta(hours=23)
        token = replace(token, expires_at=expiry(token, now))
    assert token.expires_at == NOW + timedelta(days=30)
