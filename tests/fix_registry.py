"""Rows that many tests start from."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from jimm.registry import clouds, controllers, credentials, identities, models
from jimm.registry.clouds import OWN_REGION, Cloud, Reach, Region
from jimm.registry.controllers import Controller, Health, NewController
from jimm.registry.identities import IdentityRecord
from jimm.registry.session import Registry
from jimm.registry.words import ControllerStatus, Trust
from jimm.wire.tags import ControllerUUID, CredentialId, ModelUUID

METRO = Cloud(
    "metro", "manual", {"type": "manual", "auth-types": ["userpass", "empty"]}, (Region("north"),)
)


@dataclass(frozen=True)
class Fleet:
    """Two controllers, a and b, both in metro/north; alice, who has a credential; and bob."""

    registry: Registry
    a: Controller
    b: Controller
    alice: IdentityRecord
    bob: IdentityRecord

    async def model(self, name: str = "m1", on: Controller | None = None) -> ModelUUID:
        """A live model of alice's, on controller a if not said otherwise."""
        made = ModelUUID(str(uuid.uuid4()))
        async with self.registry.write() as session:
            model_id = await models.add(
                session, models.NewModel(name, self.alice.id, "metro", "north", None)
            )
            await models.complete(
                session, model_id, uuid=made, controller_id=(on or self.a).id, region="north"
            )
        return made


def new_controller(name: str) -> NewController:
    """A controller in metro/north, trusted by token."""
    return NewController(
        name=name,
        uuid=ControllerUUID(str(uuid.uuid4())),
        public_address="",
        addresses=("127.0.0.1:17070",),
        tls_hostname="",
        ca_certificate="",
        trust=Trust.TOKEN,
        admin_username="admin",
        admin_password_sealed=b"sealed",
        cloud="metro",
        region="north",
        controller_model_uuid=None,
        agent_version="3.6.9",
    )


AddController = Callable[[str], Awaitable[Controller]]


@pytest.fixture
def add_controller(registry: Registry) -> AddController:
    """Registers one more healthy controller in metro/north."""

    async def add(name: str) -> Controller:
        async with registry.write() as session:
            added = await controllers.add(session, new_controller(name))
            await clouds.put(session, METRO)
            await clouds.set_reach(session, added.id, [Reach("metro", "north", OWN_REGION)])
            await controllers.record_health(session, added.uuid, Health(ControllerStatus.AVAILABLE))
            return await controllers.by_uuid(session, added.uuid)

    return add


@pytest.fixture
async def fleet(registry: Registry, add_controller: AddController) -> Fleet:
    """Two controllers and two people."""
    a, b = await add_controller("a"), await add_controller("b")
    async with registry.write() as session:
        alice = await identities.add(session, "alice@jimm", "Alice")
        bob = await identities.add(session, "bob@jimm")
        await credentials.put(
            session, CredentialId("metro", "alice@jimm", "cred"), "userpass", b"sealed"
        )
    return Fleet(registry, a, b, alice, bob)
