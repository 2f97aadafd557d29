"""Values for the tests of this folder."""

import datetime
import uuid

from jimm.simulator.migration.record import Target
from jimm.simulator.state import (
    Application,
    Cloud,
    Controller,
    Credential,
    Machine,
    Model,
    ModelUser,
    Region,
    Status,
    Unit,
)
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID, CredentialId, ModelUUID

NOW = datetime.datetime(2026, 7, 1, 12, 0, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(seconds=5)
UUID = ModelUUID("6f3e8d4c-58a5-4a28-8b1a-3a2f0f6b9c11")
HERE = ControllerUUID("11111111-58a5-4a28-8b1a-3a2f0f6b9c11")
THERE = ControllerUUID("22222222-58a5-4a28-8b1a-3a2f0f6b9c11")
CREDENTIAL = CredentialId("metro", "alice@jimm", "key")


def controller(version: str = "3.6.9") -> Controller:
    cloud = Cloud(name="metro", regions=(Region(name="north"), Region(name="south")))
    return Controller(
        uuid=HERE,
        name="here",
        version=version,
        clouds={"metro": cloud},
        config={},
        model_uuid=ModelUUID(str(uuid.uuid4())),
    )


def model() -> Model:
    """An application with a unit on a machine, all well."""
    idle = Status(status="idle", since=NOW)
    unit = Unit(name="a/0", machine="0", workload=Status(status="active", since=NOW), agent=idle)
    application = Application(
        name="a", status=Status(status="active", since=NOW), units={"a/0": unit}
    )
    return Model(
        uuid=UUID,
        name="m",
        owner="alice@jimm",
        cloud="metro",
        region="north",
        credential=CREDENTIAL,
        status=Status(status="available", since=NOW),
        users={
            "alice@jimm": ModelUser(access="admin", display_name="Alice"),
            "bob": ModelUser(access="read"),
        },
        machines={"0": Machine(id="0", instance_id="i-0", created=NOW)},
        applications={"a": application},
        agent_version="3.6.9",
        created=NOW,
    )


def credential() -> Credential:
    return Credential(id=CREDENTIAL, auth_type="userpass", attrs={"username": "u", "password": "p"})


def target() -> Target:
    return Target(
        controller_uuid=THERE,
        controller_alias="b",
        addresses=("10.0.0.1:17070", "b.example:17070"),
        ca_certificate="PEM",
        user="admin",
        password=Secret("hunter2"),
    )
