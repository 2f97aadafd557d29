"""The pages in a real Chromium."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from jimm.errors import FatalLogin
from tests.fix_node import Node
from tests.system.web.chromium import Person, person
from tests.system.web.site import PASSWORD, Site


async def test_a_device_login_without_javascript(local: Site, tmp_path: Path) -> None:
    async with local.device("juju 3.6.9") as device:

        def confirm() -> None:
            with person(local.url, tmp_path / "profile") as alice:
                _script_is_off(alice)
                alice.go("/login")
                assert (alice.title, alice.heading) == (
                    "Log in with a code - JIMM",
                    "Log in with a code",
                )
                alice.fill("Code", "BCDF-GHJK")
                alice.press("Continue")
                assert alice.title == "Error: Log in with a code - JIMM"
                assert "No login waits under this code" in alice.text
                assert alice.focused == alice.field("Code")
                alice.fill("Code", device.code)
                alice.press("Continue")
                _sign_in(alice)
                assert alice.heading == "Confirm the login"
                for shown in ("juju 3.6.9", device.code, "alice"):
                    assert shown in alice.text
                alice.press("Confirm")
                assert alice.heading == "You are logged in"
                assert "You can close this page" in alice.text

        await asyncio.to_thread(confirm)
        assert (await asyncio.wait_for(device.waiting, 10)).identity == "alice@jimm"


async def test_a_refusal_with_the_keyboard_alone(local: Site, tmp_path: Path) -> None:
    async with local.device() as device:

        def refuse() -> None:
            with person(local.url, tmp_path / "profile") as bob:
                bob.go(f"/login?user_code={device.code}")
                _type(bob, Keys.TAB, Keys.ENTER)
                _type(bob, Keys.TAB, "bob", Keys.TAB, PASSWORD, Keys.ENTER)
                assert bob.heading == "Confirm the login"
                _type(bob, Keys.TAB)
                assert bob.focused.accessible_name == "Confirm"
                _type(bob, Keys.TAB)
                assert bob.focused.accessible_name == "Refuse"
                _type(bob, Keys.ENTER)
                assert bob.heading == "The login is refused"

        await asyncio.to_thread(refuse)
        with pytest.raises(FatalLogin, match="refused"):
            await asyncio.wait_for(device.waiting, 10)


async def test_nothing_keeps_the_pages_from_being_accessible(
    local: Site, node: Node, tmp_path: Path
) -> None:
    axe = (node.folder / "node_modules" / "axe-core" / "axe.min.js").read_text()
    async with local.device() as device:

        def look() -> dict[str, list[str]]:
            found = {}
            with person(local.url, tmp_path / "profile", javascript=True) as carol:

                def check() -> None:
                    found[carol.title] = _faults(carol, axe)

                carol.go("/auth/callback")
                check()
                carol.go("/login")
                check()
                carol.fill("Code", "wrong")
                carol.press("Continue")
                check()
                carol.fill("Code", device.code)
                carol.press("Continue")
                check()
                carol.fill("User name", "carol")
                carol.fill("Password", "wrong")
                carol.press("Sign in")
                check()
                carol.fill("Password", PASSWORD)
                carol.press("Sign in")
                check()
                carol.press("Confirm")
                check()
                carol.go("/login/refused")
                check()
                carol.press("Sign out of this browser")
                check()
            return found

        found = await asyncio.to_thread(look)
    assert len(found) == 9
    assert [each for each in found.items() if each[1]] == []


def _sign_in(alice: Person) -> None:
    assert alice.heading == "Sign in"
    alice.fill("User name", "alice")
    alice.fill("Password", "not this one")
    alice.press("Sign in")
    assert alice.title == "Error: Sign in - JIMM"
    assert alice.focused == alice.field("Password")
    described = alice.focused.get_attribute("aria-describedby")
    assert described == "error"
    assert alice.field("User name").get_attribute("value") == "alice"
    assert alice.field("Password").get_attribute("value") == ""
    alice.fill("Password", PASSWORD)
    alice.press("Sign in")


def _type(somebody: Person, *keys: str) -> None:
    for each in keys:
        somebody.focused.send_keys(each)


def _script_is_off(somebody: Person) -> None:
    somebody.go("data:text/html,<title>off</title><script>document.title='on'</script>")
    assert somebody.title == "off"


def _faults(somebody: Person, axe: str) -> list[str]:
    """What axe-core finds, in both colour schemes."""
    found = []
    for scheme in ("light", "dark"):
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        somebody.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        somebody.chrome.execute_script(axe)
        result: dict[str, Any] = somebody.chrome.execute_async_script(
            "const done = arguments[arguments.length - 1]; axe.run(document).then(done);"
        )
        assert result["passes"]
        found += [f"{scheme}: {each['id']}: {each['help']}" for each in result["violations"]]
    return found
