"""A real identity provider, and a person who signs in on its pages."""

import html
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from tests.fix_node import Node
from tests.waiting import wait_until

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
JIMM: Final = ("jimm", "jimm's secret: 100% & more")
ROBOT: Final = ("robot-7", "a robot's secret/+%")
PUBLISHED: Final = ("poster", "shown in the body")
"""Ids and secrets of clients at the provider."""

PEOPLE: Final[Mapping[str, Mapping[str, Any]]] = {
    "u1": {"email": "Alice@corp.example", "email_verified": True, "name": "Alice A."},
    "u2": {"email": "bob_b@corp.example", "name": "Bob", "groups": ["staff", "jimm-admins"]},
    "u3": {"email": "admin@jimm", "name": "Not the administrator"},
    "u4": {"email": "eve@corp.example", "email_verified": False},
    "u5": {"email": "dora@corp.example", "name": "Dora"},
}


@dataclass(frozen=True)
class IdentityProvider:
    """The provider's process, with what a test may do to it."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def issuer(self) -> str:
        """Its issuer URL."""
        return f"http://127.0.0.1:{self.port}"

    def told(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Other people, or other claims about them."""
        httpx.put(f"{self.issuer}/control/people", json=people).raise_for_status()

    def rotate(self) -> None:
        """It signs with new keys from now on."""
        httpx.post(f"{self.issuer}/control/keys").raise_for_status()

    def granted(self, kind: str) -> int:
        """How often that grant was asked for."""
        counts: dict[str, int] = httpx.get(f"{self.issuer}/control/granted").json()
        return counts.get(kind, 0)


@contextmanager
def provider(node: Node, port: int, jimm_url: str) -> Iterator[IdentityProvider]:
    """A started one that knows JIMM."""
    settings = {"clients": _clients(jimm_url), "people": PEOPLE}
    process = subprocess.Popen(
        node.command("provider.mjs", str(port), json.dumps(settings)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    made = IdentityProvider(port, process)
    try:
        wait_until(lambda: _answers(made), deadline=30)
        yield made
    finally:
        process.terminate()
        process.wait(10)


async def signs_in(browser: httpx.AsyncClient, url: str, subject: str, back: str) -> httpx.Response:
    """Signs in and consents on the provider's pages; the answer of JIMM, or the last page.

    ``back`` is what JIMM's URLs begin with.
    """
    answer = await browser.get(url)
    for _ in range(12):
        if answer.is_redirect:
            where = str(answer.url.join(answer.headers["location"]))
            answer = await browser.get(where)
            if where.startswith(back):
                return answer
            continue
        action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
        if action is None:
            return answer
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
        if 'name="login"' in answer.text:
            fields |= {"login": subject, "password": "any"}
        where = str(answer.url.join(html.unescape(action[1])))
        answer = await browser.post(where, data=fields)
    raise AssertionError(f"the sign-in does not end: {answer.url}")


def _clients(jimm_url: str) -> list[dict[str, Any]]:
    machine = {
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
    }
    return [
        {
            "client_id": JIMM[0],
            "client_secret": JIMM[1],
            "redirect_uris": [f"{jimm_url}/auth/callback"],
            "grant_types": ["authorization_code", DEVICE_GRANT],
            "response_types": ["code"],
        },
        {"client_id": ROBOT[0], "client_secret": ROBOT[1], **machine},
        {
            "client_id": PUBLISHED[0],
            "client_secret": PUBLISHED[1],
            "token_endpoint_auth_method": "client_secret_post",
            **machine,
        },
    ]


def _answers(made: IdentityProvider) -> bool:
    assert made.process.poll() is None, "the provider ended"
    try:
        return httpx.get(f"{made.issuer}/.well-known/openid-configuration").status_code == 200
    except httpx.TransportError:
        return False
