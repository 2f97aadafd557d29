"""A person who enters the code of a device login on JIMM's page."""

import re

import httpx

from jimm.net.tls import client_context
from tests.fix_dev import Dev

FORM = re.compile(r'<form method="post" action="([^"]*)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


async def confirm(dev: Dev, code: str, user: str) -> None:
    """Signs in and confirms, as a browser without JavaScript would."""
    async with httpx.AsyncClient(
        base_url=f"https://{dev.address}",
        verify=client_context(dev.ca),
        trust_env=False,
        follow_redirects=True,
    ) as browser:
        page = await browser.get("/login")
        page = await _send(browser, page, {"user_code": code.lower()})
        page = await _send(browser, page, {"username": user, "password": dev.password(user)})
        page = await _send(browser, page, {"answer": "confirm"})
    assert page.url.path == "/login/confirmed", page.text


async def _send(
    browser: httpx.AsyncClient, page: httpx.Response, fields: dict[str, str]
) -> httpx.Response:
    """The page after its only form was sent."""
    page.raise_for_status()
    form = FORM.search(page.text)
    assert form is not None, page.text
    action = form[1].replace("&amp;", "&")
    return await browser.post(action, data={**dict(HIDDEN.findall(page.text)), **fields})
