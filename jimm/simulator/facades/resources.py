"""``Resources`` 3: the files and images of applications."""

import uuid

from jimm.errors import BadRequest, JimmError
from jimm.simulator import resources
from jimm.simulator.entity_tags import parse_application_tag
from jimm.simulator.on_model import OnModel, Row
from jimm.simulator.state import Resource
from jimm.wire.facade import method
from jimm.wire.params.charms import AddPendingResources, PendingResource
from jimm.wire.params.common import Entities, Entity, Error

VERSIONS = (3,)


class Resources(OnModel):
    """Lists them, and announces uploads."""

    name = "Resources"

    @method("ListResources", versions=VERSIONS)
    async def list_resources(self, params: Entities) -> Row:
        """Each application's resources, and what its units have of them."""
        self.read()
        return {"results": [self._row(each) for each in params.entities]}

    @method("AddPendingResources", versions=VERSIONS)
    async def add_pending(self, params: AddPendingResources) -> Row:
        """Makes a place for each resource of an application that is to be deployed."""
        model = self.change()
        try:
            application = parse_application_tag(params.tag)
        except JimmError as error:
            return {"pending-ids": None, "error": Error.of(BadRequest(str(error)))}
        ids = []
        for each in params.resources:
            pending = _pending(each, application)
            model = resources.with_resource(model, pending)
            ids.append(pending.pending_id)
        self.keep(model)
        return {"pending-ids": ids}

    def _row(self, entity: Entity) -> Row:
        model = self.session.model
        try:
            name = parse_application_tag(entity.tag)
            own = resources.of_application(model, name)
            found = [resources.described(each) for each in own]
        except JimmError as error:
            return {
                "resources": None,
                "charm-store-resources": None,
                "unit-resources": None,
                "error": Error.of(error),
            }
        units = model.applications[name].units
        uploaded = [each for each in found if each["fingerprint"]]
        return {
            "resources": found,
            "charm-store-resources": [resources.charm_resource(each) for each in own],
            "unit-resources": [
                {
                    "tag": f"unit-{unit.replace('/', '-')}",
                    "resources": uploaded,
                    "download-progress": {},
                }
                for unit in units
            ],
        }


def _pending(wanted: PendingResource, application: str) -> Resource:
    return Resource(
        name=wanted.name,
        application=application,
        pending_id=str(uuid.uuid4()),
        type=wanted.type or "file",
        path=wanted.path,
        description=wanted.description,
        origin=wanted.origin or "upload",
        revision=wanted.revision,
        size=wanted.size,
    )
