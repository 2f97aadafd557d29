import pytest

from jimm.access.tokens import COOKIE
from jimm.access.visitor import read_cookie, visitor


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("", ""),
        ("a=b", ""),
        (f"{COOKIE}=t", "t"),
        (f'a=b; {COOKIE}="t"', "t"),
        (f"bad name=1; =; ;{COOKIE}=t=; c", "t="),
        (f"x{COOKIE}=t", ""),
        (f"a={COOKIE}=t", ""),
    ],
)
def test_a_cookie_is_found_among_others(header: str, token: str) -> None:
    assert read_cookie(header) == token


def test_a_visitor_is_described_to_the_person() -> None:
    assert (
        visitor({"x-juju-clientversion": "4.0.13"}, "10.0.0.7").client == "juju 4.0.13 at 10.0.0.7"
    )
    assert (
        visitor({"user-agent": "Go-http-client/1.1"}, "::1").client == "Go-http-client/1.1 at ::1"
    )
    assert visitor({}, "").client == "a client"


def test_what_a_browser_shows() -> None:
    seen = visitor({"cookie": f"{COOKIE}=t", "origin": "https://x"}, "")
    assert (seen.token.reveal(), seen.origin) == ("t", "https://x")
    assert "Secret()" in repr(seen)
