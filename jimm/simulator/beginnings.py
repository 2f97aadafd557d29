"""What a new controller holds: an administrator, a cloud, and its own model."""

import datetime
import uuid

import msgspec

from jimm.simulator import rules, scenarios
from jimm.simulator.core import Options
from jimm.simulator.state import (
    Cloud,
    Controller,
    LocalUser,
    Model,
    ModelUser,
    Region,
    Status,
)
from jimm.simulator.store import Identity, Store
from jimm.wire.tags import ModelUUID


def begin(store: Store, identity: Identity, options: Options, now: datetime.datetime) -> None:
    """Fills an empty store; brings one of an earlier run to the version asked for, as an
    upgrade of the controller would."""
    if any(user.name == "admin" for user in store.users.values()):
        _upgrade(store, options.version)
        return
    cloud = Cloud(
        name=options.cloud,
        type=options.cloud_type,
        regions=tuple(Region(name=region) for region in options.regions),
    )
    model = _controller_model(options, now)
    controller = Controller(
        uuid=identity.uuid,
        name=options.name,
        version=options.version,
        clouds={cloud.name: cloud},
        config=_config(identity, options),
        model_uuid=model.uuid,
    )
    admin = LocalUser(
        name="admin",
        display_name="admin",
        password=rules.hash_password(identity.admin_password.reveal()),
        access="superuser",
        created=now,
    )
    store.put(controller, admin, model)
    if options.scenario:
        store.put(_staged(controller, options, now))


def _staged(controller: Controller, options: Options, now: datetime.datetime) -> Model:
    """A model of the administrator's that is named as its scenario."""
    model = Model(
        uuid=ModelUUID(str(uuid.uuid4())),
        name=options.scenario,
        owner="admin",
        cloud=options.cloud,
        region=options.regions[0] if options.regions else "",
        status=Status(status="available", since=now),
        users={"admin": ModelUser(access="admin", display_name="admin")},
        agent_version=controller.version,
        created=now,
    )
    return scenarios.staged(model, options.scenario, now)


def _upgrade(store: Store, version: str) -> None:
    controller = store.controller
    if controller.version == version:
        return
    model = store.models[controller.model_uuid]
    store.put(
        msgspec.structs.replace(controller, version=version),
        msgspec.structs.replace(model, agent_version=version),
    )


def _controller_model(options: Options, now: datetime.datetime) -> Model:
    model = Model(
        uuid=ModelUUID(str(uuid.uuid4())),
        name="controller",
        owner="admin",
        cloud=options.cloud,
        region=options.regions[0] if options.regions else "",
        status=Status(status="available", since=now),
        users={"admin": ModelUser(access="admin", display_name="admin")},
        agent_version=options.version,
        created=now,
        is_controller=True,
    )
    return scenarios.with_machine(model, now)


def _config(identity: Identity, options: Options) -> dict[str, object]:
    return {
        "controller-uuid": identity.uuid,
        "controller-name": options.name,
        "api-port": 17070,
        "auditing-enabled": False,
        "migration-agent-wait-time": "15m",
    }
