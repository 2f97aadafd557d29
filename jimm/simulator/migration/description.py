"""A model as the YAML that one controller hands another (``github.com/juju/description``).

The top-level keys are Juju's; what stands below ``machines``, ``applications`` and
``relations`` is as much as a simulated controller knows of them.
"""

import datetime
from typing import Final

import msgspec
import yaml
from msgspec import Struct

from jimm.simulator.migration.versions import Version
from jimm.simulator.state import (
    Application,
    Block,
    Charm,
    Credential,
    Machine,
    Model,
    ModelAccess,
    ModelUser,
    Offer,
    Operation,
    Relation,
    RemoteApplication,
    Resource,
    Space,
    Status,
    Storage,
    StoragePool,
    UserSecret,
)
from jimm.simulator.store import conceal, reveal
from jimm.wire.tags import CredentialId, ModelUUID

_TWELVE_SINCE: Final = Version.parse("3.6.26")
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml, where there is one
_NAMES: Final = frozenset({"name", "uuid"})  # in a description's config, and nowhere else


class Unreadable(ValueError):
    """Not a description, or one of a version that this controller can't read."""


class Description(Struct, frozen=True, kw_only=True):
    """A model on its way, with the credential that its cloud needs."""

    model: Model
    credential: Credential | None
    secret_backend: str = ""
    """The id of the backend that its setting names, if that is none of the built-in ones."""


class _Part(Struct, frozen=True, kw_only=True, rename="kebab"):
    pass


class _User(_Part, frozen=True, kw_only=True):
    name: str
    access: ModelAccess
    created_by: str
    date_created: datetime.datetime
    display_name: str = ""
    last_connection: datetime.datetime | None = None


class _Users(_Part, frozen=True, kw_only=True):
    version: int = 1
    users: tuple[_User, ...]


class _Machines(_Part, frozen=True, kw_only=True):
    version: int = 4
    machines: tuple[Machine, ...]


class _Applications(_Part, frozen=True, kw_only=True):
    version: int = 13
    applications: tuple[Application, ...]
    offers: tuple[Offer, ...] = ()


class _Relations(_Part, frozen=True, kw_only=True):
    version: int = 3
    relations: tuple[Relation, ...]


class _CloudCredential(_Part, frozen=True, kw_only=True):
    version: int = 1
    owner: str
    cloud: str
    name: str
    auth_type: str
    attributes: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"_CloudCredential(name={self.name!r})"


class _StatusPoint(_Part, frozen=True, kw_only=True):
    value: str
    message: str = ""
    updated: datetime.datetime


class _Status(_Part, frozen=True, kw_only=True):
    version: int = 2
    status: _StatusPoint


class _Extras(_Part, frozen=True, kw_only=True):
    """What Juju writes in sections of its own, here in one. Of charms and resources it is what
    is known of them; their files stay behind."""

    blocks: tuple[Block, ...] = ()
    storage: tuple[Storage, ...] = ()
    pools: tuple[StoragePool, ...] = ()
    spaces: tuple[Space, ...] = ()
    operations: tuple[Operation, ...] = ()
    charms: tuple[Charm, ...] = ()
    resources: tuple[Resource, ...] = ()
    secrets: tuple[UserSecret, ...] = ()
    remotes: tuple[RemoteApplication, ...] = ()
    sequences: dict[str, int] = {}

    @classmethod
    def of(cls, model: Model) -> "_Extras":
        return cls(
            blocks=model.blocks,
            storage=tuple(model.storage.values()),
            pools=tuple(model.pools.values()),
            spaces=tuple(model.spaces.values()),
            operations=model.operations,
            charms=tuple(model.charms.values()),
            resources=model.resources,
            secrets=tuple(model.secrets.values()),
            remotes=tuple(model.remote_applications.values()),
            sequences=model.sequences,
        )

    def put_into(self, model: Model) -> Model:
        return msgspec.structs.replace(
            model,
            blocks=self.blocks,
            storage={each.id: each for each in self.storage},
            pools={each.name: each for each in self.pools},
            spaces={each.name: each for each in self.spaces},
            operations=self.operations,
            charms={each.url: each for each in self.charms},
            resources=self.resources,
            secrets={each.id: each for each in self.secrets},
            remote_applications={each.name: each for each in self.remotes},
            sequences=self.sequences,
        )


class _Document(_Part, frozen=True, kw_only=True):
    version: int
    agent_version: str
    type: str
    owner: str
    config: dict[str, object]
    users: _Users
    machines: _Machines
    applications: _Applications
    relations: _Relations
    cloud: str
    cloud_region: str = ""
    cloud_credential: _CloudCredential | None = None
    annotations: dict[str, dict[str, str]] = {}
    constraints: dict[str, object] = {}
    sequences: dict[str, int] = {}
    secret_backend_id: str = ""
    extras: _Extras = _Extras()
    status: _Status


def newest_version(controller_version: str) -> int:
    """The newest format that a controller of this version reads, and the one it writes."""
    version = Version.parse(controller_version)
    if version.major >= 4:
        return 14
    return 12 if version >= _TWELVE_SINCE else 11


def write(
    model: Model, credential: Credential | None, *, version: int, secret_backend: str = ""
) -> bytes:
    """The description of a model, in the given format version."""
    document = _document(model, credential, version)
    document = msgspec.structs.replace(document, secret_backend_id=secret_backend)
    plain = msgspec.to_builtins(document, enc_hook=reveal)
    return yaml.dump(plain, Dumper=_DUMPER, sort_keys=False).encode()


def read(data: bytes, *, newest: int, oldest: int = 1) -> Description:
    """The model that a description tells; its mode and status are the importer's to set.

    Raises:
        Unreadable: with the text that Juju puts after ``deserializing model for import: ``.
    """
    try:
        plain = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable("yaml: cannot be read") from error
    version = plain.get("version") if isinstance(plain, dict) else None
    if not isinstance(version, int):
        raise Unreadable("missing 'version'")
    if not oldest <= version <= newest:
        raise Unreadable(f"version {version} not valid")
    try:
        document = msgspec.convert(plain, _Document, dec_hook=conceal)
    except msgspec.ValidationError as error:
        raise Unreadable(f"model v{version} schema check failed: {error}") from error
    return Description(
        model=_model(document),
        credential=_credential(document),
        secret_backend=document.secret_backend_id,
    )


def _document(model: Model, credential: Credential | None, version: int) -> _Document:
    return _Document(
        version=version,
        agent_version=model.agent_version,
        type=model.type,
        owner=model.owner,
        config={**model.config, "name": model.name, "uuid": model.uuid},
        users=_Users(users=tuple(_users(model))),
        machines=_Machines(machines=tuple(model.machines.values())),
        applications=_Applications(
            applications=tuple(model.applications.values()), offers=tuple(model.offers.values())
        ),
        relations=_Relations(relations=model.relations),
        cloud=model.cloud,
        cloud_region=model.region,
        cloud_credential=_written(credential) if credential is not None else None,
        annotations=model.annotations,
        constraints=model.constraints,
        sequences={"modelmigration": model.migration_attempts},
        extras=_Extras.of(model),
        status=_Status(
            status=_StatusPoint(
                value=model.status.status, message=model.status.info, updated=model.status.since
            )
        ),
    )


def _users(model: Model) -> list[_User]:
    return [
        _User(
            name=name,
            access=entry.access,
            created_by=model.owner,
            date_created=model.created,
            display_name=entry.display_name,
            last_connection=entry.last_connection,
        )
        for name, entry in model.users.items()
    ]


def _written(credential: Credential) -> _CloudCredential:
    return _CloudCredential(
        owner=credential.id.owner,
        cloud=credential.id.cloud,
        name=credential.id.name,
        auth_type=credential.auth_type,
        attributes=credential.attrs,
    )


def _credential(document: _Document) -> Credential | None:
    found = document.cloud_credential
    if found is None:
        return None
    return Credential(
        id=CredentialId(found.cloud, found.owner, found.name),
        auth_type=found.auth_type,
        attrs=found.attributes,
    )


def _model(document: _Document) -> Model:
    credential = _credential(document)
    updated = document.status.status.updated
    dates = [user.date_created for user in document.users.users]
    model = Model(
        uuid=ModelUUID(str(document.config.get("uuid", ""))),
        name=str(document.config.get("name", "")),
        owner=document.owner,
        type=document.type,
        cloud=document.cloud,
        region=document.cloud_region,
        credential=credential.id if credential is not None else None,
        config={key: each for key, each in document.config.items() if key not in _NAMES},
        constraints=document.constraints,
        status=Status(status=document.status.status.value, since=updated),
        users={
            user.name: ModelUser(
                access=user.access,
                display_name=user.display_name,
                last_connection=user.last_connection,
            )
            for user in document.users.users
        },
        machines={machine.id: machine for machine in document.machines.machines},
        applications={each.name: each for each in document.applications.applications},
        offers={each.name: each for each in document.applications.offers},
        relations=document.relations.relations,
        annotations=document.annotations,
        agent_version=document.agent_version,
        created=min(dates, default=updated),
        migration_attempts=document.sequences.get("modelmigration", 0),
    )
    return document.extras.put_into(model)
