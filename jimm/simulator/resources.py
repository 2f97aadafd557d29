"""Resources of applications, and how they are told (Juju ``api/client/resources/helpers.go``)."""

import base64
import datetime
from pathlib import PurePosixPath
from typing import Final

from msgspec.structs import replace

from jimm.errors import JimmError, NotFound
from jimm.simulator.charm_store import charm_of
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.state import Charm, Model, Resource

_NEVER: Final = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)


def declared(charm: Charm, name: str) -> Resource | None:
    """A resource as the charm declares it, not uploaded; ``None`` if it declares none such."""
    found = charm.meta.get("resources")
    about = found.get(name) if isinstance(found, dict) else None
    if not isinstance(about, dict):
        return None
    return Resource(
        name=name,
        application="",
        type=str(about.get("type") or "file"),
        path=str(about.get("filename") or ""),
        description=str(about.get("description") or ""),
    )


def declared_by(charm: Charm) -> list[Resource]:
    """All that the charm declares."""
    found = charm.meta.get("resources")
    names = sorted(found) if isinstance(found, dict) else []
    every = (declared(charm, str(name)) for name in names)
    return [each for each in every if each is not None]


def of_application(model: Model, name: str) -> list[Resource]:
    """An application's own: uploaded, or as its charm declares them.

    Raises:
        NotFound: no such application.
    """
    application = model.applications.get(name)
    if application is None:
        raise NotFound(f'application "{name}" not found')
    kept = {
        each.name: each
        for each in model.resources
        if each.application == name and not each.pending_id
    }
    for each in declared_by(charm_of(model, application)):
        kept.setdefault(each.name, replace(each, application=name))
    return [kept[key] for key in sorted(kept)]


def find(model: Model, application: str, name: str, pending_id: str = "") -> Resource:
    """One resource of an application, or one that waits for it.

    Raises:
        NotFound: there is none.
    """
    if pending_id:
        every = [each for each in model.resources if each.pending_id == pending_id]
    else:
        every = of_application(model, application)
    for each in every:
        if (each.application, each.name) == (application, name):
            return each
    raise NotFound(f'pending resource "{application}/{name}" not found')


def with_resource(model: Model, resource: Resource) -> Model:
    """The model with this value of a resource."""
    others = (each for each in model.resources if _key(each) != _key(resource))
    return replace(model, resources=(*others, resource))


def check_extension(resource: Resource, filename: str) -> None:
    """Refuses a file of another kind than the charm declares.

    Raises:
        JimmError: it is one.
    """
    expected = PurePosixPath(resource.path).suffix
    if resource.type == "file" and PurePosixPath(filename).suffix != expected:
        raise JimmError(
            f'incorrect extension on resource upload "{filename}", expected "{expected}"'
        )


def charm_resource(resource: Resource) -> dict[str, object]:
    """What is known without an application."""
    fingerprint = base64.b64encode(bytes.fromhex(resource.fingerprint)).decode()
    return {
        "name": resource.name,
        "type": resource.type,
        "path": resource.path,
        "description": resource.description,
        "origin": resource.origin,
        "revision": resource.revision,
        "fingerprint": fingerprint,
        "size": resource.size,
    }


def described(resource: Resource) -> dict[str, object]:
    """All that is known."""
    return {
        **charm_resource(resource),
        "id": f"{resource.application}/{resource.name}",
        "pending-id": resource.pending_id,
        "application": resource.application,
        "username": resource.username,
        "timestamp": rfc3339(resource.timestamp or _NEVER),
    }


def _key(resource: Resource) -> tuple[str, str, str]:
    return resource.application, resource.name, resource.pending_id
