"""Pieces that several facades tell in the same shape."""

from collections.abc import Iterable

from jimm.simulator import charm_store
from jimm.simulator.entity_tags import storage_tag
from jimm.simulator.state import Application, Model
from jimm.wire.params.client import Base

ALPHA = "alpha"
"""The space that every model has."""


def base_of(text: str) -> Base:
    """``ubuntu`` and ``24.04/stable`` of ``ubuntu@24.04``."""
    name, _, channel = text.partition("@")
    return Base(name=name, channel=channel if "/" in channel else f"{channel}/stable")


def base_text(base: Base | None, *, otherwise: str = "ubuntu@24.04") -> str:
    """``ubuntu@24.04`` of a base; ``otherwise`` where there is none."""
    if base is None or not base.name:
        return otherwise
    return f"{base.name}@{base.channel.partition('/')[0]}"


def spaces_by_endpoint(model: Model, application: Application) -> dict[str, str]:
    """Every endpoint with its space; the empty name is the default."""
    default = application.bindings.get("", ALPHA)
    names = [end.name for end in charm_store.endpoints_of(model, application)]
    shown = {name: default for name in names if name != "juju-info"}
    return {"": default, **shown, **application.bindings}


def exposed_endpoints(application: Application) -> dict[str, dict[str, list[str]]]:
    """To whom it is open: to everybody unless endpoints were named."""
    return application.exposed_endpoints or {"": {"expose-to-cidrs": ["0.0.0.0/0", "::/0"]}}


def storage_fates(
    model: Model, units: Iterable[str], *, destroyed: bool
) -> dict[str, list[dict[str, str]]]:
    """What becomes of the units' storage, as removals tell it."""
    gone = set(units)
    tags = [{"tag": storage_tag(each.id)} for each in model.storage.values() if each.owner in gone]
    return {"destroyed-storage" if destroyed else "detached-storage": tags} if tags else {}
