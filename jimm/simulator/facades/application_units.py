"""The part of ``Application`` about units."""

from msgspec.structs import replace

from jimm.errors import BadRequest, JimmError, NotSupported
from jimm.simulator import applications
from jimm.simulator.entity_tags import parse_application_tag, parse_unit_tag, unit_tag
from jimm.simulator.facades.application_deploy import directives
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.shapes import storage_fates
from jimm.simulator.state import Model, Relation, Status, Unit
from jimm.wire.facade import method
from jimm.wire.params.application import (
    AddUnits,
    DestroyUnit,
    DestroyUnits,
    ResolveUnits,
    ScaleApplications,
)
from jimm.wire.params.common import Entities, Entity

VERSIONS = (15, 16, 17, 18, 19, 20)


class Units(OnModel):
    """Units come, are mended and go."""

    @method("AddUnits", versions=VERSIONS)
    async def add_units(self, params: AddUnits) -> Row:
        """Adds units to an application.

        Raises:
            NotFound: no such application or machine.
            BadRequest: no unit is wanted.
            NotSupported: the application is a subordinate.
        """
        model = self.change()
        found = applications.find(model, params.application)
        if found.subordinate:
            raise NotSupported(
                f'cannot add unit 1/{params.num_units} to application "{found.name}": '
                "cannot add unit: application is a subordinate"
            )
        if params.num_units < 1:
            raise BadRequest("must add at least one unit")
        where = directives(params.placement)
        model, names = applications.with_units(
            model, found.name, params.num_units, self.core.clock.now(), where
        )
        self.keep(model)
        return {"units": names}

    @method("DestroyUnit", versions=VERSIONS)
    async def destroy_unit(self, params: DestroyUnits) -> Row:
        """Lets units die; says what goes with them."""
        self.removal()
        return {"results": rows(params.units, self._destroy_unit)}

    @method("ScaleApplications", versions=VERSIONS)
    async def scale_applications(self, params: ScaleApplications) -> Row:
        """Refused: only applications of container models are scaled."""
        self.change()

        def refuse(wanted: object) -> Row:
            raise NotSupported("scaling applications on a non-container model not supported")

        return {"results": rows(params.applications, refuse)}

    @method("ResolveUnitErrors", versions=VERSIONS)
    async def resolve_unit_errors(self, params: ResolveUnits) -> Row:
        """Marks failed units as mended."""
        model = self.change()
        if params.all and params.tags.entities:
            raise BadRequest("cannot resolve all and specific units at once")
        if params.all:
            for application in model.applications.values():
                for unit in application.units.values():
                    if unit.workload.status == "error":
                        self._resolve(unit)
            return {"results": []}

        def mend(entity: Entity) -> Row:
            name = parse_unit_tag(entity.tag)
            unit = applications.find_unit(self.session.model, name)
            if unit.workload.status != "error":
                raise JimmError(f'unit "{name}" is not in an error state')
            self._resolve(unit)
            return {}

        return {"results": rows(params.tags.entities, mend)}

    @method("UnitsInfo", versions=VERSIONS)
    async def units_info(self, params: Entities) -> Row:
        """Units with their relations; an application's tag is all of its units."""
        model = self.read()
        tags: list[str] = []
        for entity in params.entities:
            if entity.tag.startswith("application-"):
                found = applications.find(model, parse_application_tag(entity.tag))
                tags.extend(unit_tag(name) for name in found.units)
            else:
                tags.append(entity.tag)
        return {"results": rows(tags, lambda tag: _info(model, tag))}

    def _destroy_unit(self, wanted: DestroyUnit) -> Row:
        model = self.session.model
        name = parse_unit_tag(wanted.unit_tag)
        owner = model.applications.get(name.partition("/")[0])
        if owner is None or name not in owner.units:
            raise JimmError(f'unit "{name}" does not exist')
        if owner.subordinate:
            raise JimmError(
                f'unit "{name}" is a subordinate, to remove use remove-relation. '
                f'Note: this will remove all units of "{owner.name}"'
            )
        info = storage_fates(model, [name], destroyed=wanted.destroy_storage)
        if not wanted.dry_run:
            self.keep(applications.without_unit(model, name))
        return {"info": info}

    def _resolve(self, unit: Unit) -> None:
        model = self.session.model
        owner = applications.find(model, unit.name.partition("/")[0])
        mended = replace(unit, workload=Status(status="active", since=self.core.clock.now()))
        units = {**owner.units, unit.name: mended}
        self.keep(applications.with_changed(model, replace(owner, units=units)))


def _info(model: Model, tag: str) -> Row:
    unit = applications.find_unit(model, parse_unit_tag(tag))
    owner = applications.find(model, unit.name.partition("/")[0])
    machine = model.machines.get(unit.machine)
    address = machine.address if machine is not None else ""
    related = [_relation(model, each, unit) for each in model.relations if _is_in(each, unit)]
    result: Row = {
        "tag": unit_tag(unit.name),
        "workload-version": "",
        "machine": unit.machine,
        "opened-ports": [],
        "public-address": address,
        "charm": owner.charm,
        "leader": unit.leader,
        "life": unit.life,
        "relation-data": related,
        "provider-id": "",
        "address": address,
    }
    return {"result": result}


def _is_in(relation: Relation, unit: Unit) -> bool:
    return any(end.application == unit.name.partition("/")[0] for end in relation.endpoints)


def _relation(model: Model, relation: Relation, unit: Unit) -> Row:
    name = unit.name.partition("/")[0]
    own = next(end for end in relation.endpoints if end.application == name)
    other = next((end for end in relation.endpoints if end.application != name), own)
    there = model.applications.get(other.application)
    units = [each for each in there.units.values() if each.name != unit.name] if there else []
    return {
        "relation-id": relation.id,
        "endpoint": own.name,
        "cross-model": False,
        "related-endpoint": other.name,
        "ApplicationData": {},
        "unit-relation-data": {
            each.name: {"InScope": True, "UnitData": _settings(model, each)} for each in units
        },
    }


def _settings(model: Model, unit: Unit) -> Row:
    machine = model.machines.get(unit.machine)
    address = machine.address if machine is not None else ""
    return dict.fromkeys(("egress-subnets", "ingress-address", "private-address"), address)
