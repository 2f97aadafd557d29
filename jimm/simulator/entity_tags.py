"""Tags of what is in a model: applications, units, machines, storage, spaces (Juju ``names``)."""

from jimm.errors import NotValid


def application_tag(name: str) -> str:
    """``application-ubuntu``."""
    return f"application-{name}"


def unit_tag(name: str) -> str:
    """``unit-ubuntu-0`` for ``ubuntu/0``."""
    return f"unit-{name.replace('/', '-')}"


def machine_tag(machine_id: str) -> str:
    """``machine-0-lxd-1`` for ``0/lxd/1``."""
    return f"machine-{machine_id.replace('/', '-')}"


def storage_tag(storage_id: str) -> str:
    """``storage-data-0`` for ``data/0``."""
    return f"storage-{storage_id.replace('/', '-')}"


def parse_application_tag(tag: str) -> str:
    """The name in an application's tag.

    Raises:
        NotValid: it is no such tag.
    """
    return _after(tag, "application")


def parse_unit_tag(tag: str) -> str:
    """``ubuntu/0`` of ``unit-ubuntu-0``.

    Raises:
        NotValid: it is no such tag.
    """
    return _numbered(tag, "unit")


def parse_storage_tag(tag: str) -> str:
    """``data/0`` of ``storage-data-0``.

    Raises:
        NotValid: it is no such tag.
    """
    return _numbered(tag, "storage")


def parse_machine_tag(tag: str) -> str:
    """``0/lxd/1`` of ``machine-0-lxd-1``.

    Raises:
        NotValid: it is no such tag.
    """
    return _after(tag, "machine").replace("-", "/")


def parse_space_tag(tag: str) -> str:
    """The name in a space's tag.

    Raises:
        NotValid: it is no such tag.
    """
    return _after(tag, "space")


def _after(tag: str, kind: str) -> str:
    found, dash, rest = tag.partition("-")
    if found != kind or not dash or not rest:
        raise NotValid(f'"{tag}" is not a valid {kind} tag')
    return rest


def _numbered(tag: str, kind: str) -> str:
    name, dash, number = _after(tag, kind).rpartition("-")
    if not name or not dash or not number.isdigit():
        raise NotValid(f'"{tag}" is not a valid {kind} tag')
    return f"{name}/{number}"
