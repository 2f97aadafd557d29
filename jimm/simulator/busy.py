"""The scenario ``busy``: a model with something of everything that Juju can show."""

import base64
import datetime

from msgspec.structs import replace

from jimm.simulator import applications, blocks, charm_store, integrations, offers, settling
from jimm.simulator.secret_ids import secret_id
from jimm.simulator.sequences import taken
from jimm.simulator.state import (
    ActionTask,
    Application,
    Model,
    Offer,
    Operation,
    SecretRevision,
    Status,
    StoragePool,
    UserSecret,
)
from jimm.wire.secret import Secret


def busy(model: Model, now: datetime.datetime) -> Model:
    """The model with a web service: applications with a subordinate, relations, an offer,
    storage, a container, constraints, notes, a secret, an operation, and a block."""
    for name, units in (("haproxy", 1), ("web", 2), ("postgresql", 1), ("nrpe", 0)):
        model = _deployed(model, name, units, now)
    for pair in (
        ("web:db", "postgresql:db"),
        ("haproxy:reverseproxy", "web:website"),
        ("nrpe:general-info", "web:juju-info"),
    ):
        model, _ = integrations.related(model, pair, now)
    haproxy = replace(applications.find(model, "haproxy"), exposed=True)
    model = applications.with_changed(model, haproxy)
    web = applications.find(model, "web")
    web = replace(web, config={"port": 8081}, constraints={"arch": "amd64", "mem": 2048})
    model = applications.with_changed(model, web)
    model, spare = applications.with_machine(model, now, kept=True)
    model, _ = applications.with_machine(model, now, parent=spare, kept=True)
    model, _ = applications.with_storage(model, "logs", "web/0", now, block=True, size=2048)
    model = _offered(_noted(model), now)
    model = _asked(_with_secret(model, now), now)
    model = replace(model, constraints={"arch": "amd64"})
    model = settling.settled(model, now)
    return blocks.switched_on(model, "BlockDestroy", "this model is in use")


def _deployed(model: Model, name: str, units: int, now: datetime.datetime) -> Model:
    charm = charm_store.known_charm(name)
    application = Application(
        name=name,
        charm=charm.url,
        subordinate=charm_store.is_subordinate(charm),
        status=Status(status="waiting", since=now),
    )
    model = applications.with_new(model, application)
    model = replace(model, charms={**model.charms, charm.url: charm})
    model = integrations.with_peers(model, application)
    return applications.with_units(model, name, units, now)[0]


def _noted(model: Model) -> Model:
    notes = {
        "application-web": {"gui-x": "300", "gui-y": "200"},
        "application-postgresql": {"gui-x": "600", "gui-y": "200"},
    }
    pool = StoragePool(name="fast", provider="cinder", attrs={"volume-type": "ssd"})
    return replace(
        model, annotations={**model.annotations, **notes}, pools={**model.pools, "fast": pool}
    )


def _offered(model: Model, now: datetime.datetime) -> Model:
    offer = Offer(
        uuid=f"{model.uuid[:24]}{int(now.timestamp()):012x}"[:36],
        name="database",
        application="postgresql",
        description="The database of the web service.",
        endpoints={"db": "db"},
        users={model.owner: "admin"},
    )
    return offers.offered(model, offer)


def _with_secret(model: Model, now: datetime.datetime) -> Model:
    value = Secret(base64.b64encode(b"simulated").decode())
    revision = SecretRevision(number=1, content={"password": value}, created=now)
    secret = UserSecret(
        id=secret_id(b"a busy model"),
        label="web-admin",
        description="For the pages of the administrators.",
        revisions=(revision,),
        granted=("web",),
        created=now,
        updated=now,
    )
    return replace(model, secrets={**model.secrets, secret.id: secret})


def _asked(model: Model, now: datetime.datetime) -> Model:
    model, number = taken(model, "operation", first=1)
    model, task = taken(model, "operation", first=1)
    backup = ActionTask(id=str(task), receiver="unit-postgresql-0", name="backup", enqueued=now)
    operation = Operation(
        id=str(number), summary="backup run on postgresql/0", tasks=(backup,), enqueued=now
    )
    return replace(model, operations=(*model.operations, operation))
