"""The users' commands, and the first administrator."""

import asyncio
from pathlib import Path

import pytest

from jimm import accounts
from jimm.access.accounts import add_user, bootstrap_admin
from jimm.access.logins import Logins
from jimm.errors import ConfigurationError, InvalidLogin
from jimm.registry import audit, users
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.wire.secret import Secret
from tests.system.access.conftest import PASSWORD


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD.reveal()}\n")
    return file


async def test_the_first_administrator_is_made_once(
    registry: Registry, logins: Logins, password_file: Path
) -> None:
    made = await asyncio.gather(*(bootstrap_admin(registry, password_file, "jimm") for _ in "ab"))
    assert sorted(made) == [False, True]
    assert (await logins.by_password("admin", PASSWORD)).admin
    assert not await bootstrap_admin(registry, password_file / "is not read", "jimm")


@pytest.mark.parametrize("content", [None, b"short\n", b"\xff\xfe\xff\xfe\xff"])
async def test_a_useless_password_file_is_named(
    registry: Registry, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=str(file)):
        await bootstrap_admin(registry, file, "jimm")


async def test_a_user_admin_who_administers_nothing_is_not_raised(
    registry: Registry, password_file: Path
) -> None:
    await add_user(registry, "admin", Secret("some other"), admin=False, local_domain="jimm")
    with pytest.raises(ConfigurationError, match="jimm user add"):
        await bootstrap_admin(registry, password_file, "jimm")


async def test_the_commands(registry: Registry, logins: Logins, settings: Settings) -> None:
    await accounts.add(settings, "bob", "bob's password", admin=True)
    assert (await logins.by_password("bob", Secret("bob's password"))).admin
    await accounts.set_password(settings, "bob", "bob's new one")
    await logins.by_password("bob", Secret("bob's new one"))
    await accounts.disable(settings, "bob")
    with pytest.raises(InvalidLogin):
        await logins.by_password("bob", Secret("bob's new one"))


async def test_the_commands_leave_a_trail(registry: Registry, settings: Settings) -> None:
    await accounts.add(settings, "bob", "bob's password", admin=True)
    await accounts.set_password(settings, "bob", "bob's new one")
    await accounts.disable(settings, "bob")
    async with registry.read() as session:
        rows = await audit.page(session)
        shown = (await users.named(session, ["bob@jimm"]))["bob@jimm"]
    assert [(each.identity, each.door, each.action) for each in rows] == [
        ("operator", "cli", "disable-user"),
        ("operator", "cli", "change-user-password"),
        ("operator", "cli", "add-user"),
    ]
    assert rows[-1].params == {"user": "bob@jimm", "administrator": True}
    assert "password" not in str(rows).replace("change-user-password", "")
    assert (shown.created_by, shown.disabled) == ("operator", True)


def test_the_command_line_reads_the_environment(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _environment(monkeypatch, database_url, tmp_path)
    accounts.run(accounts.add, "alice", "alice's password", admin=False)
    accounts.run(accounts.disable, "alice")


def test_an_old_schema_is_refused(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _environment(monkeypatch, empty_database_url, tmp_path)
    with pytest.raises(ConfigurationError, match="run `jimm db upgrade`"):
        accounts.run(accounts.disable, "alice")


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    _environment(monkeypatch, database_url, tmp_path)
    return Settings()


def _environment(monkeypatch: pytest.MonkeyPatch, url: str, folder: Path) -> None:
    monkeypatch.setenv("JIMM_DATABASE_URL", url)
    monkeypatch.setenv("JIMM_SECRET_KEY_FILE", str(folder / "secret"))
