"""Who sends an HTTP request below a model's path."""

import base64

import pytest

from jimm.access.identity import Identity
from jimm.errors import JimmError, SessionTokenInvalid, Unauthorized
from jimm.proxy.visitors import Visitors, read_basic
from jimm.wire.secret import Secret

COOKIE = (b"Cookie", b"theme=dark; jimm-browser-session=good; other=1")


class Known:
    """Knows one token and one pair."""

    async def by_basic(self, user: str, password: Secret) -> Identity:
        if (user, password) != ("", Secret("good")):
            raise Unauthorized
        return Identity("alice@jimm", "", admin=False)

    async def by_token(self, text: str) -> Identity:
        if text != "good":
            raise SessionTokenInvalid("unusable")
        return Identity("bob@jimm", "", admin=False)

    def welcomes(self, origin: str) -> bool:
        return origin in ("", "https://own")


def basic(text: str) -> tuple[bytes, bytes]:
    return b"authorization", b"Basic " + base64.b64encode(text.encode())


@pytest.fixture
def visitors() -> Visitors:
    return Visitors(Known())


async def test_a_header_comes_before_a_cookie(visitors: Visitors) -> None:
    assert await visitors.identify([COOKIE]) == "bob@jimm"
    assert await visitors.identify([COOKIE, basic(":good")]) == "alice@jimm"
    with pytest.raises(Unauthorized):
        await visitors.identify([COOKIE, basic(":wrong")])


async def test_a_cookie_counts_for_pages_of_ours(visitors: Visitors) -> None:
    assert await visitors.identify([COOKIE, (b"origin", b"https://own")]) == "bob@jimm"
    for foreign in (b"https://elsewhere", b"null"):
        with pytest.raises(Unauthorized, match="not an origin"):
            await visitors.identify([COOKIE, (b"origin", foreign)])


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"")],
        [(b"authorization", b"Bearer good")],
        [(b"authorization", b"Basic ===")],
        [(b"authorization", b"Basic " + base64.b64encode(b"no colon"))],
        [(b"authorization", b"Basic " + base64.b64encode(b"\xff:\xff"))],
        [(b"cookie", b"jimm-browser-session=")],
        [(b"cookie", b"jimm-browser-session=stale")],
        [(b"cookie", b'\x00;;==";')],
    ],
)
async def test_nothing_else_counts(visitors: Visitors, headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(JimmError):
        await visitors.identify(headers)


def test_a_password_may_hold_colons() -> None:
    pair = base64.b64encode(b"user-alice:a:b:c").decode()
    user, password = read_basic(f"basic {pair}")
    assert (user, password.reveal()) == ("user-alice", "a:b:c")
