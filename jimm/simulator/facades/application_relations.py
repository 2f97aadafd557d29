"""The part of ``Application`` about relations."""

from msgspec.structs import replace

from jimm.simulator import applications, charm_store, integrations, offers
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.state import Endpoint, Model, OfferConnection, Relation, Status
from jimm.wire.facade import method
from jimm.wire.params.application import (
    AddRelation,
    ApplicationName,
    DestroyRelation,
    RelationsSuspended,
    RelationSuspended,
)

VERSIONS = (15, 16, 17, 18, 19, 20)


class Relations(OnModel):
    """Applications are related and parted."""

    @method("AddRelation", versions=VERSIONS)
    async def add_relation(self, params: AddRelation) -> Row:
        """Relates two applications.

        Raises:
            NotFound: an application, or its endpoint.
            Conflict: nothing fits, or more than one thing.
            AlreadyExists: they are related so already.
        """
        model, relation = integrations.related(
            self.change(), params.endpoints, self.core.clock.now()
        )
        self.keep(model)
        self._tell_offers(model, relation, joined=True)
        return {
            "endpoints": {
                end.application: _shape(end, relation.scope) for end in relation.endpoints
            }
        }

    @method("DestroyRelation", versions=VERSIONS)
    async def destroy_relation(self, params: DestroyRelation) -> None:
        """Parts two applications.

        Raises:
            NotFound: there is no such relation.
            Conflict: peers stay related.
        """
        model = self.removal()
        found = integrations.find(model, params.endpoints, params.relation_id)
        self.keep(integrations.without(model, found))
        self._tell_offers(model, found, joined=False)

    @method("SetRelationsSuspended", versions=VERSIONS)
    async def set_relations_suspended(self, params: RelationsSuspended) -> Row:
        """Suspends relations, or resumes them."""
        self.change()
        return {"results": rows(params.args, self._suspend)}

    @method("CharmRelations", versions=VERSIONS)
    async def charm_relations(self, params: ApplicationName) -> Row:
        """The endpoints of an application."""
        model = self.read()
        found = applications.find(model, params.application)
        names = [end.name for end in charm_store.endpoints_of(model, found)]
        return {"charm-relations": sorted(names)}

    def _tell_offers(self, model: Model, relation: Relation, *, joined: bool) -> None:
        """Writes the relation down with the offer, where that is on this controller."""
        for end in relation.endpoints:
            remote = model.remote_applications.get(end.application)
            source = self.core.store.models.get(remote.source_model) if remote else None
            if remote is None or source is None:
                continue
            connection = OfferConnection(
                relation_id=relation.id,
                model=model.uuid,
                user=self.caller.user,
                endpoint=end.name,
                status=Status(status="joined", since=self.core.clock.now()),
            )
            self.keep(offers.connected(source, remote.offer_uuid, connection, joined=joined))

    def _suspend(self, wanted: RelationSuspended) -> Row:
        model = self.session.model
        found = integrations.find(model, [], wanted.relation_id)
        changed = replace(found, suspended=wanted.suspended, message=wanted.message)
        relations = (changed if each.id == found.id else each for each in model.relations)
        self.keep(replace(model, relations=tuple(relations)))
        return {}


def _shape(end: Endpoint, scope: str) -> Row:
    return {
        "name": end.name,
        "role": end.role,
        "interface": end.interface,
        "optional": False,
        "limit": 0,
        "scope": scope,
    }
