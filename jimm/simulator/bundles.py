"""A model as a bundle (Juju ``apiserver/facades/client/bundle``, ``charm/v12``)."""

from collections.abc import Mapping
from typing import Final

import yaml

from jimm.errors import JimmError
from jimm.simulator import charm_store
from jimm.simulator.shapes import ALPHA, base_of
from jimm.simulator.state import Application, Machine, Model

_DEFAULT_BASE: Final = "ubuntu@24.04/stable"

_ORDER: Final = (
    "arch", "container", "cores", "cpu-power", "mem", "root-disk", "tags", "instance-role",
    "instance-type", "spaces", "virt-type", "zones", "allocate-public-ip", "image-id",
)  # fmt: skip
_MEGABYTES: Final = frozenset({"mem", "root-disk"})


def exported(model: Model, *, with_defaults: bool = False) -> str:
    """The YAML of ``juju export-bundle``: the bundle, then its offers as an overlay.

    Raises:
        JimmError: there are no applications.
    """
    if not model.applications:
        raise JimmError("nothing to export as there are no applications")
    bases = {_base(each) for each in _principals(model)} or {_DEFAULT_BASE}
    default = next(iter(bases)) if len(bases) == 1 else ""
    bundle: dict[str, object] = {}
    if default:
        bundle["default-base"] = default
    if model.remote_applications:
        bundle["saas"] = {
            name: {"url": remote.offer_url}
            for name, remote in sorted(model.remote_applications.items())
        }
    bundle["applications"] = {
        name: _application(model, model.applications[name], default, with_defaults=with_defaults)
        for name in sorted(model.applications)
    }
    machines = {each.id: _machine(each, default) for each in _used(model)}
    if machines:
        bundle["machines"] = machines
    relations = [
        [f"{end.application}:{end.name}" for end in relation.endpoints]
        for relation in model.relations
        if len(relation.endpoints) > 1
    ]
    if relations:
        bundle["relations"] = relations
    return _dumped(bundle) + _overlay(model)


def constraints_text(constraints: Mapping[str, object]) -> str:
    """``arch=amd64 cores=2 mem=4096M``."""
    parts = []
    for name in _ORDER:
        value = constraints.get(name)
        if value is None:
            continue
        if isinstance(value, list):
            value = ",".join(map(str, value))
        elif isinstance(value, bool):
            value = str(value).lower()
        parts.append(f"{name}={value}{'M' if name in _MEGABYTES else ''}")
    return " ".join(parts)


def _application(
    model: Model, application: Application, default: str, *, with_defaults: bool
) -> dict[str, object]:
    found: dict[str, object] = {}
    if application.charm.startswith("local:"):
        found["charm"] = application.charm
    else:
        found["charm"] = charm_store.charm_named(application.charm)
        found["channel"] = application.channel
        found["revision"] = charm_store.revision_of(application.charm)
    if not application.subordinate:
        if _base(application) != default:
            found["base"] = _base(application)
        found["num_units"] = len(application.units)
        places = [each.machine for each in application.units.values() if each.machine]
        if places:
            found["to"] = sorted(places, key=_place)
    if application.exposed and not application.exposed_endpoints:
        found["expose"] = True
    options = _options(model, application, with_defaults=with_defaults)
    if options:
        found["options"] = options
    notes = model.annotations.get(f"application-{application.name}")
    if notes:
        found["annotations"] = notes
    constraints = constraints_text(application.constraints)
    if constraints:
        found["constraints"] = constraints
    bindings = {name: space for name, space in application.bindings.items() if space != ALPHA}
    if bindings:
        found["bindings"] = {"": ALPHA, **bindings}
    if application.trust:
        found["trust"] = True
    return found


def _options(model: Model, application: Application, *, with_defaults: bool) -> dict[str, object]:
    defaults: dict[str, object] = {}
    if with_defaults:
        known = charm_store.options_of(charm_store.charm_of(model, application))
        defaults = {name: each["default"] for name, each in known.items() if "default" in each}
    return {**defaults, **application.config}


def _machine(machine: Machine, default: str) -> dict[str, object]:
    found: dict[str, object] = {}
    constraints = constraints_text(machine.constraints)
    if constraints:
        found["constraints"] = constraints
    base = base_of(machine.base)
    text = f"{base.name}@{base.channel}"
    if text != default:
        found["base"] = text
    return found


def _used(model: Model) -> list[Machine]:
    used = {
        unit.machine
        for application in model.applications.values()
        for unit in application.units.values()
    }
    hosts = {each.partition("/")[0] for each in used}
    return [machine for machine in model.machines.values() if machine.id in hosts]


def _principals(model: Model) -> list[Application]:
    return [each for each in model.applications.values() if not each.subordinate]


def _base(application: Application) -> str:
    base = base_of(application.base)
    return f"{base.name}@{base.channel}"


def _place(machine_id: str) -> tuple[int, str]:
    host = machine_id.partition("/")[0]
    return (int(host) if host.isdigit() else 0, machine_id)


def _overlay(model: Model) -> str:
    """What is only of use in an overlay: offers and endpoints exposed one by one."""
    applications: dict[str, dict[str, object]] = {}
    for name, offer in sorted(model.offers.items()):
        users = {user: access for user, access in offer.users.items() if access}
        row = {
            "endpoints": sorted(offer.endpoints.values()),
            "acl": {model.owner: "admin", **users},
        }
        offers = applications.setdefault(offer.application, {}).setdefault("offers", {})
        if isinstance(offers, dict):
            offers[name] = row
    for application in model.applications.values():
        if application.exposed_endpoints:
            row_of = applications.setdefault(application.name, {})
            row_of["exposed-endpoints"] = application.exposed_endpoints
    if not applications:
        return ""
    return "--- # overlay.yaml\n" + _dumped({"applications": applications})


def _dumped(document: Mapping[str, object]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False)


class _Dumper(yaml.SafeDumper):
    """Writes every mention of a value in full."""

    def ignore_aliases(self, data: object) -> bool:
        return True
