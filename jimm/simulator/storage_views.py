"""Storage as ``Storage`` and ``Client.FullStatus`` tell it (Juju ``rpc/params/storage.go``)."""

from typing import Final

from jimm.simulator.entity_tags import machine_tag, storage_tag, unit_tag
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.state import Model, Storage

Row = dict[str, object]

KINDS: Final = {"block": 1, "filesystem": 2}
"""Juju's numbers (``params.StorageKind``)."""


def details(model: Model, storage: Storage) -> Row:
    """An instance with its attachments."""
    attachments = {
        unit_tag(unit): {
            "storage-tag": storage_tag(storage.id),
            "unit-tag": unit_tag(unit),
            "machine-tag": machine_tag(_machine_of(model, unit)),
            "location": _location(storage),
            "life": storage.life,
        }
        for unit in storage.units
    }
    return {
        "storage-tag": storage_tag(storage.id),
        "owner-tag": unit_tag(storage.owner) if storage.owner else "",
        "kind": KINDS[storage.kind],
        "status": _status(storage),
        "life": storage.life,
        "persistent": storage.kind == "block",
        "attachments": attachments,
    }


def filesystem(model: Model, storage: Storage) -> Row:
    """The filesystem behind an instance."""
    number = storage.id.rpartition("/")[2]
    mount = {"mount-point": _location(storage), "read-only": False, "life": storage.life}
    return {
        "filesystem-tag": f"filesystem-{number}",
        "info": {"filesystem-id": storage.provider_id, "pool": storage.pool, "size": storage.size},
        "life": storage.life,
        "status": _status(storage),
        "machine-attachments": _by_machine(model, storage, mount),
        "storage": details(model, storage),
    }


def volume(model: Model, storage: Storage) -> Row:
    """The volume behind an instance."""
    number = storage.id.rpartition("/")[2]
    device = {"device-name": "vdb", "read-only": False, "life": storage.life}
    return {
        "volume-tag": f"volume-{number}",
        "info": {
            "volume-id": storage.provider_id,
            "pool": storage.pool,
            "size": storage.size,
            "persistent": True,
        },
        "life": storage.life,
        "status": _status(storage),
        "machine-attachments": _by_machine(model, storage, device),
        "storage": details(model, storage),
    }


def of_kind(model: Model, kind: str) -> list[Storage]:
    """The instances of a kind."""
    return [each for each in model.storage.values() if each.kind == kind]


def machines_of(model: Model, storage: Storage) -> set[str]:
    """Tags of the machines that it is on."""
    return {machine_tag(_machine_of(model, unit)) for unit in storage.units}


def _by_machine(model: Model, storage: Storage, attachment: Row) -> Row:
    return dict.fromkeys(sorted(machines_of(model, storage)), attachment)


def _status(storage: Storage) -> Row:
    return {
        "status": storage.status.status,
        "info": storage.status.info,
        "data": storage.status.data,
        "since": rfc3339(storage.status.since),
    }


def _location(storage: Storage) -> str:
    name, _, number = storage.id.rpartition("/")
    return "/dev/vdb" if storage.kind == "block" else f"/var/lib/juju/storage/{name}/{number}"


def _machine_of(model: Model, unit: str) -> str:
    owner = model.applications.get(unit.partition("/")[0])
    found = owner.units.get(unit) if owner is not None else None
    return found.machine if found is not None else ""
