"""A login to a model asks Postgres once, and what has changed counts at the next one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from jimm.access.accounts import add_user, set_disabled
from jimm.access.devices import DeviceLogins
from jimm.access.keys import KeyRing
from jimm.access.logins import Logins
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.access.visitor import NOBODY, Visitor
from jimm.errors import InvalidLogin, ModelNotFound, SessionTokenInvalid
from jimm.fleet import versions
from jimm.fleet.fleet import Fleet
from jimm.fleet.trust import REUSED_FOR, Trust
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.keeper import Keeper
from jimm.registry import identities, relations
from jimm.registry.crypto import Sealer
from jimm.registry.relations import Object
from jimm.registry.session import Registry
from jimm.registry.words import Relation
from jimm.wire.login import Attempt, CookieLogin, PasswordLogin, SessionTokenLogin
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID, ModelUUID
from tests.fix_fleet import add_model, register, running_fleet
from tests.fix_simulator import SimulatorFactory
from tests.overheard import Overheard, overheard

PASSWORD = Secret("bob's password")
CONTROLLER = ControllerUUID("0d8b1a2c-2f6e-4c0e-9d0c-2f3d4e5f6a7b")


@dataclass
class Scene:
    """A controller that trusts JIMM's tokens, alice's model there, and bob, who writes to it."""

    fleet: Fleet
    keeper: Keeper
    tokens: SessionTokens
    model: ModelUUID
    token: Secret
    token_id: str
    heard: Overheard

    async def admit(self, attempt: Attempt | None = None, visitor: Visitor = NOBODY) -> Admission:
        """Bob's login, by his token if not said otherwise."""
        return await self.keeper.admit(
            self.model, attempt or SessionTokenLogin(self.token), visitor
        )

    async def relate(self, *wanted: Relation) -> None:
        """Bob is just that to the model."""
        about = Object.model(self.model)
        async with self.fleet.registry.write() as session:
            await relations.replace(session, "bob@jimm", about, add=wanted, remove=list(Relation))


@pytest.fixture
async def scene(
    database_url: str, sealer: Sealer, simulator: SimulatorFactory
) -> AsyncIterator[Scene]:
    peer = await simulator(name="a")
    async with overheard(database_url) as heard:
        registry = Registry(heard.url, application_name="jimm-heard")
        async with running_fleet(database_url, sealer, registry=registry) as fleet:
            model = await add_model(fleet, await register(fleet, peer))
            await add_user(registry, "bob", PASSWORD, admin=False, local_domain="jimm")
            tokens = SessionTokens(registry, fleet.now)
            passwords = Passwords()
            logins = Logins(registry, "jimm", passwords, fleet.now)
            devices = DeviceLogins(registry, tokens, fleet.now, "https://jimm.test/login")
            issued = await tokens.issue("bob@jimm")
            keeper = Keeper(fleet, logins, [[]], devices)
            made = Scene(fleet, keeper, tokens, model, issued.token, issued.id, heard)
            await made.relate(Relation.WRITER)
            async with registry.write() as session:
                await session.execute(text("UPDATE controllers SET trust = 'token'"))
            yield made
            passwords.close()


async def test_a_token_login_is_one_statement_in_one_round_trip(scene: Scene) -> None:
    await scene.admit()  # prepares the statement
    await scene.fleet.registry.traces.flush()
    assert [each for each in scene.heard.statements if "INTO model_connections" in each]
    for attempt, visitor in (
        (SessionTokenLogin(scene.token), NOBODY),
        (PasswordLogin("", scene.token), NOBODY),
        (CookieLogin(), Visitor(scene.token, "", "a browser")),
    ):
        scene.heard.clear()
        found = await scene.admit(attempt, visitor)
        assert (found.identity, found.token_id) == ("bob@jimm", scene.token_id)
        await scene.fleet.registry.traces.flush()
        assert len(scene.heard.statements) == scene.heard.round_trips == 1


async def test_a_password_login_and_a_second_look_take_no_more_than_they_must(
    scene: Scene,
) -> None:
    admission = await scene.admit(PasswordLogin("bob", PASSWORD))
    assert await scene.keeper.still_holds(admission)
    await scene.fleet.registry.traces.flush()
    scene.heard.clear()
    await scene.admit(PasswordLogin("bob", PASSWORD))
    assert len(scene.heard.statements) == 2
    scene.heard.clear()
    assert await scene.keeper.still_holds(admission)
    assert len(scene.heard.statements) == scene.heard.round_trips == 1
    await scene.fleet.registry.traces.flush()
    for _ in range(2):  # what `/api` asks at a login
        scene.heard.clear()
        await scene.tokens.look_up(scene.token.reveal())
        assert await versions.reported(scene.fleet) == "3.6.9"
        await scene.fleet.registry.traces.flush()
    assert len(scene.heard.statements) == scene.heard.round_trips == 2


@pytest.mark.parametrize("how", ["revoked", "disabled"])
async def test_whoever_is_out_is_out_at_once(scene: Scene, how: str) -> None:
    admission = await scene.admit()
    by_password = await scene.admit(PasswordLogin("bob", PASSWORD))
    assert await scene.keeper.still_holds(admission)
    if how == "revoked":
        await scene.tokens.revoke("bob@jimm", scene.token_id)
    else:
        async with scene.fleet.registry.write() as session:
            await set_disabled(session, "bob@jimm", True, "jimm")
    for bad in (scene.token, Secret(""), Secret("é"), Secret("\0"), Secret("A" * 1000)):
        with pytest.raises(SessionTokenInvalid):
            await scene.admit(SessionTokenLogin(bad))
        with pytest.raises(InvalidLogin):
            await scene.admit(PasswordLogin("", bad))
    assert not await scene.keeper.still_holds(admission)
    assert await scene.keeper.still_holds(by_password) is (how == "revoked")


async def test_other_rights_are_another_token_and_the_same_rights_the_same(scene: Scene) -> None:
    writer = await scene.admit()
    assert (await scene.admit()).login == writer.login
    await scene.relate(Relation.READER)
    reader = await scene.admit()
    assert reader.login.token != writer.login.token
    assert reader.access[f"model-{scene.model}"] == "read"
    await scene.relate()
    with pytest.raises(ModelNotFound, match=f'unknown model: "{scene.model}"'):
        await scene.admit()
    await scene.relate(Relation.WRITER)
    again = await scene.admit()
    assert again.access == writer.access
    async with scene.fleet.registry.write() as session:
        await identities.ensure(session, "carol@jimm")
        about = Object.model(scene.model)
        await relations.add(session, "carol@jimm", Relation.WRITER, about)
    carol = (await scene.tokens.issue("carol@jimm")).token
    hers = await scene.admit(SessionTokenLogin(carol))
    assert hers.access == again.access
    assert hers.login.token != again.login.token


async def test_a_token_is_shown_again_while_most_of_its_life_is_left(
    registry: Registry, sealer: Sealer
) -> None:
    time = [datetime.now(UTC)]

    def now() -> datetime:
        return time[0]

    trust = Trust(
        registry,
        sealer,
        KeyRing(registry, sealer, now),
        jimm_uuid=CONTROLLER,
        local_domain="jimm",
        issuer="https://jimm.test",
        now=now,
    )

    async def token(controller: ControllerUUID = CONTROLLER, **access: str) -> str:
        return (await trust.token_login(controller, "bob@jimm", access)).token

    first = await token(a="read")
    assert await token(a="read") == first
    assert len({first, await token(a="write"), await token(ControllerUUID("b"), a="read")}) == 3
    time[0] += REUSED_FOR - timedelta(seconds=1)
    assert await token(a="read") == first
    time[0] += timedelta(seconds=1)
    second = await token(a="read")
    assert second != first
    time[0] -= timedelta(hours=1)  # the clock was put right
    assert await token(a="read") != second
