"""``Application`` 15 to 20 (Juju ``apiserver/facades/client/application``), put together from
its parts."""

from jimm.errors import JimmError
from jimm.simulator import applications, charm_store
from jimm.simulator.entity_tags import application_tag, parse_application_tag
from jimm.simulator.facades.application_consuming import Consuming
from jimm.simulator.facades.application_deploy import Deployments
from jimm.simulator.facades.application_relations import Relations
from jimm.simulator.facades.application_settings import Settings
from jimm.simulator.facades.application_units import Units
from jimm.simulator.on_model import Row, rows
from jimm.simulator.shapes import base_of, exposed_endpoints, spaces_by_endpoint, storage_fates
from jimm.simulator.state import Model
from jimm.wire.facade import method
from jimm.wire.params.application import DestroyApplication
from jimm.wire.params.application import DestroyApplications as Destruction
from jimm.wire.params.common import Entities, Entity, Error

VERSIONS = (15, 16, 17, 18, 19, 20)


class Application(Deployments, Units, Relations, Consuming, Settings):
    """The applications of one model."""

    name = "Application"

    @method("ApplicationsInfo", versions=VERSIONS)
    async def applications_info(self, params: Entities) -> Row:
        """Some applications in short."""
        model = self.read()
        return {"results": rows(params.entities, lambda entity: _info(model, entity))}

    @method("Leader", versions=VERSIONS)
    async def leader(self, params: Entity) -> Row:
        """The unit that leads an application."""
        model = self.read()
        name = parse_application_tag(params.tag)
        found = model.applications.get(name)
        for unit in found.units.values() if found is not None else ():
            if unit.leader:
                return {"result": unit.name}
        failure = Error(message=f"leader for {params.tag} not found", code="not found")
        return {"result": "", "error": failure}

    @method("DestroyApplication", versions=VERSIONS)
    async def destroy_application(self, params: Destruction) -> Row:
        """Lets applications die with their units; says what goes with them."""
        self.removal()
        return {"results": rows(params.applications, self._destroy)}

    def _destroy(self, wanted: DestroyApplication) -> Row:
        model = self.session.model
        name = parse_application_tag(wanted.application_tag)
        units = list(applications.find(model, name).units)
        info = {"destroyed-units": [{"tag": _unit(each)} for each in units]}
        info.update(storage_fates(model, units, destroyed=wanted.destroy_storage))
        _check_offers(model, name)
        if not wanted.dry_run:
            self.keep(applications.without_application(model, name))
        return {"info": info}


def _unit(name: str) -> str:
    return f"unit-{name.replace('/', '-')}"


def _check_offers(model: Model, name: str) -> None:
    used = [each for each in model.offers.values() if each.application == name]
    if used:
        number = f"{len(used)} offer{'' if len(used) == 1 else 's'}"
        raise JimmError(f'cannot destroy application "{name}": application is used by {number}')


def _info(model: Model, entity: Entity) -> Row:
    found = applications.find(model, parse_application_tag(entity.tag))
    charm = charm_store.charm_of(model, found)
    result: Row = {
        "tag": application_tag(found.name),
        "charm": charm.name,
        "base": base_of(found.base),
        "channel": found.channel,
        "constraints": found.constraints,
        "principal": not found.subordinate,
        "exposed": found.exposed,
        "remote": False,
        "life": found.life,
        "endpoint-bindings": spaces_by_endpoint(model, found),
    }
    if found.exposed:
        result["exposed-endpoints"] = exposed_endpoints(found)
    return {"result": result}
