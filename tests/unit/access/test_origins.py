"""Which pages may use a browser's login."""

import pytest

from jimm.access.origins import allowed

OWN = "https://jimm.example:17070"
FRIENDS = ("https://dashboard.example", "http://localhost:8036")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        OWN,
        "https://JIMM.example:17070",
        "https://dashboard.example",
        "https://dashboard.example:443",
        "http://localhost:8036",
    ],
)
def test_own_and_trusted(origin: str) -> None:
    assert allowed(origin, OWN, FRIENDS)
    assert allowed(origin, "jimm.example:17070", FRIENDS)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://jimm.example",
        "http://jimm.example:17070",
        "https://evil.example",
        "https://dashboard.example.evil.example",
        "https://dashboard.example@evil.example",
        "https://evil.example/https://dashboard.example",
        "https://dashboard.example/",
        "https://dashboard.example:99999",
        "http://localhost",
        "https://",
        "https://[",
        "dashboard.example",
    ],
)
def test_all_others(origin: str) -> None:
    assert not allowed(origin, OWN, FRIENDS)
