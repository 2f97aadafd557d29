"""Which parameters of calls are kept: those that are named here, field by field. Pure.

Default is to keep nothing: a method that is not named here leaves no parameters, and one that is
named leaves no other field. What is kept is names, tags, numbers and switches of calls that
change something; never configuration, options, credentials, passwords, macaroons, commands, or
anything else that users fill as they like.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from jimm.audit.lines import WITHHELD

LARGEST: Final = 4096
"""Bytes of parameters that are looked at; longer ones are not kept."""

LONGEST: Final = 256
"""Characters of a text that is kept; a longer one is not."""

LEFT_OUT: Final = "..."
"""The key that says that others were there."""

Shape = Mapping[str, object]
"""Fields that are kept, in lower case: ``True`` for a text, a number or a switch; a shape for an
object; either of them in a list for a list."""

_ENTITIES: Final[Shape] = {"entities": [{"tag": True}]}
_TAG: Final[Shape] = {"tag": True}
_ORIGIN: Final[Shape] = {
    "source": True,
    "type": True,
    "revision": True,
    "risk": True,
    "track": True,
    "architecture": True,
}
_END: Final[Shape] = {"force": True, "max-wait": True}
_ALL_OF_IT: Final[Shape] = {**_END, "destroy-storage": True}
_CHANGE: Final[Shape] = {"access": True, "action": True, "user-tag": True}
_DEPLOYED: Final[Shape] = {
    "application": True,
    "channel": True,
    "charm-origin": _ORIGIN,
    "charm-url": True,
    "force": True,
}
_PLACED: Final[Shape] = {"storage-tag": True, "unit-tag": True}
_OPERATION: Final[Shape] = {"applications": [True], "machines": [True], "units": [True]}

_APPLICATION: Final[Mapping[str, Shape]] = {
    "AddRelation": {"endpoints": [True]},
    "AddUnits": {"application": True, "num-units": True},
    "Deploy": {"applications": [{**_DEPLOYED, "num-units": True}]},
    "DeployFromRepository": {
        "args": [
            {
                "applicationname": True,
                "charmname": True,
                "channel": True,
                "dryrun": True,
                "force": True,
                "num-units": True,
                "revision": True,
                "trust": True,
            }
        ]
    },
    "DestroyApplication": {
        "applications": [{"application-tag": True, "dry-run": True, **_ALL_OF_IT}]
    },
    "DestroyConsumedApplications": {"applications": [{"application-tag": True, **_END}]},
    "DestroyRelation": {"endpoints": [True], "relation-id": True, **_END},
    "DestroyUnit": {"units": [{"unit-tag": True, "dry-run": True, **_ALL_OF_IT}]},
    "Expose": {"application": True},
    "ResolveUnitErrors": {"all": True, "retry": True, "tags": _ENTITIES},
    "ScaleApplications": {
        "applications": [
            {"application-tag": True, "force": True, "scale": True, "scale-change": True}
        ]
    },
    "SetCharm": {**_DEPLOYED, "force-base": True, "force-units": True},
    "SetRelationsSuspended": {"args": [{"relation-id": True, "suspended": True}]},
    "Unexpose": {"application": True},
    "UpdateApplicationBase": {"args": [{"channel": True, "force": True, "tag": _TAG}]},
}

_OFFERS: Final[Mapping[str, Shape]] = {
    "DestroyOffers": {"force": True, "offer-urls": [True]},
    "ModifyOfferAccess": {"changes": [{**_CHANGE, "offer-url": True}]},
    "Offer": {
        "offers": [
            {"application-name": True, "model-tag": True, "offer-name": True, "owner-tag": True}
        ]
    },
}

_CLOUD: Final[Mapping[str, Shape]] = {
    "AddCloud": {"name": True, "force": True},
    "CredentialContents": {
        "credentials": [{"cloud-name": True, "credential-name": True}],
        "include-secrets": True,
    },
    "ModifyCloudAccess": {"changes": [{**_CHANGE, "cloud-tag": True}]},
    "RemoveClouds": _ENTITIES,
    "RevokeCredentialsCheckModels": {"credentials": [{"force": True, "tag": True}]},
    "UpdateCloud": {"clouds": [{"name": True, "force": True}]},
}

_MODELS: Final[Mapping[str, Shape]] = {
    "ChangeModelCredential": {"model-credentials": [{"credential-tag": True, "model-tag": True}]},
    "CreateModel": {
        "cloud-tag": True,
        "credential": True,
        "name": True,
        "owner-tag": True,
        "qualifier": True,
        "region": True,
        "target-controller": True,
    },
    "DestroyModels": {"models": [{"model-tag": True, "timeout": True, **_ALL_OF_IT}]},
    "DumpModels": _ENTITIES,
    "DumpModelsDB": _ENTITIES,
    "ModifyModelAccess": {"changes": [{**_CHANGE, "model-tag": True}]},
}

_MACHINES: Final[Mapping[str, Shape]] = {
    "AddMachines": {"params": [{"container-type": True, "parent-id": True}]},
    "DestroyMachineWithParams": {
        "machine-tags": [True],
        "keep": True,
        "dry-run": True,
        **_END,
    },
    "RetryProvisioning": {"all": True, "machines": [True]},
    "UpgradeSeriesComplete": {"channel": True, "force": True, "tag": _TAG},
    "UpgradeSeriesPrepare": {"channel": True, "force": True, "tag": _TAG},
}

_USERS: Final[Mapping[str, Shape]] = {
    "AddUser": {"users": [{"username": True}]},
    "DisableUser": _ENTITIES,
    "EnableUser": _ENTITIES,
    "RemoveUser": _ENTITIES,
    "ResetPassword": _ENTITIES,
    "SetPassword": {"changes": [{"tag": True}]},
}

_STORAGE: Final[Mapping[str, Shape]] = {
    "AddToUnit": {"storages": [{"name": True, "unit": True}]},
    "Attach": {"ids": [_PLACED]},
    "DetachStorage": {"force": True, "ids": {"ids": [_PLACED]}, "max-wait": True},
    "Remove": {"storage": [{"tag": True, "destroy-attachments": True, **_ALL_OF_IT}]},
    "RemovePool": {"pools": [{"name": True}]},
}

_SPACES: Final[Mapping[str, Shape]] = {
    "CreateSpaces": {"spaces": [{"cidrs": [True], "public": True, "space-tag": True}]},
    "MoveSubnets": {"args": [{"force": True, "space-tag": True, "subnets": [True]}]},
    "RemoveSpace": {"space-param": [{"dry-run": True, "force": True, "space": _TAG}]},
    "RenameSpace": {"changes": [{"from-space-tag": True, "to-space-tag": True}]},
}

_UPGRADES: Final[Mapping[str, Shape]] = {
    "AbortModelUpgrade": {"model-tag": True},
    "UpgradeModel": {
        "agent-stream": True,
        "dry-run": True,
        "ignore-agent-versions": True,
        "model-tag": True,
        "target-version": True,
    },
}

_JIMM: Final[Mapping[str, Shape]] = {
    "FindAuditEvents": {
        "after": True,
        "before": True,
        "user-tag": True,
        "model": True,
        "method": True,
        "offset": True,
        "limit": True,
        "sorttime": True,
    },
    "GrantAuditLogAccess": {"user-tag": True},
    "MigrateModel": {"specs": [{"model-tag": True, "target-controller": True}]},
    "PurgeLogs": {"date": True},
    "RemoveCloudFromController": {"cloud-tag": True, "controller-name": True},
    "RemoveController": {"name": True, "force": True},
    "RevokeAuditLogAccess": {"user-tag": True},
    "UpdateMigratedModel": {"model-tag": True, "target-controller": True},
    "UpgradeTo": {"model-uuids": [True], "target-controller-name": True},
}

_REST: Final[Mapping[tuple[str, str], Shape]] = {
    ("Action", "Cancel"): _ENTITIES,
    ("Action", "EnqueueOperation"): {"actions": [{"name": True, "receiver": True}]},
    ("Action", "Run"): _OPERATION,
    ("Action", "RunOnAllMachines"): _OPERATION,
    ("Annotations", "Set"): {"annotations": [{"entity": True}]},
    ("Block", "SwitchBlockOff"): {"type": True},
    ("Block", "SwitchBlockOn"): {"type": True},
    ("Charms", "AddCharm"): {"charm-origin": _ORIGIN, "force": True, "url": True},
    ("Controller", "DestroyController"): {"destroy-models": True, **_ALL_OF_IT},
    ("Controller", "ModifyControllerAccess"): {"changes": [_CHANGE]},
    ("Controller", "RemoveBlocks"): {"all": True},
    ("KeyManager", "AddKeys"): {"user": True},
    ("KeyManager", "DeleteKeys"): {"user": True},
    ("KeyManager", "ImportKeys"): {"user": True},
    ("ModelConfig", "ModelUnset"): {"keys": [True]},
    ("Resources", "AddPendingResources"): {"tag": True, "resources": [{"name": True}]},
}


def _of(facade: str, methods: Mapping[str, Shape]) -> dict[tuple[str, str], Shape]:
    return {(facade, method): shape for method, shape in methods.items()}


KEPT: Final[Mapping[tuple[str, str], Shape]] = {
    **_of("Application", _APPLICATION),
    **_of("ApplicationOffers", _OFFERS),
    **_of("Cloud", _CLOUD),
    **_of("JIMM", _JIMM),
    **_of("MachineManager", _MACHINES),
    **_of("ModelManager", _MODELS),
    **_of("ModelUpgrader", _UPGRADES),
    **_of("Spaces", _SPACES),
    **_of("Storage", _STORAGE),
    **_of("UserManager", _USERS),
    **_REST,
}
"""By facade and method."""


def keep(params: bytes, shape: Shape) -> str:
    """The parameters' fields that are kept, as JSON; what can't be read is not kept.

    Keys are read as Go reads them, whatever their case; values of another kind than expected are
    left out.
    """
    try:
        found = _object(msgspec.json.decode(params), shape)
        return WITHHELD if found is None else msgspec.json.encode(found).decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return WITHHELD


def _kept(value: object, shape: object) -> object:
    """``None`` for what is not kept."""
    match shape:
        case True:
            return _scalar(value)
        case list():
            return _list(value, shape[0])
        case Mapping():
            return _object(value, shape)
    return None


def _object(value: object, shape: Shape) -> dict[str, object] | None:
    if not isinstance(value, dict):
        return None
    found: dict[str, object] = {}
    for key, each in value.items():
        kept = _kept(each, shape.get(key.lower()))
        found[LEFT_OUT if kept is None else key.lower()] = "redacted" if kept is None else kept
    return found


def _list(value: object, shape: object) -> list[object] | None:
    if not isinstance(value, list):
        return None
    return ["redacted" if (kept := _kept(each, shape)) is None else kept for each in value]


def _scalar(value: object) -> object:
    if isinstance(value, str):
        # Postgres's JSON can't hold a NUL.
        return value if len(value) <= LONGEST and "\0" not in value else None
    return value if isinstance(value, bool | int | float) else None
