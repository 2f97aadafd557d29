"""The part of ``Application`` about offers of other models."""

from msgspec.structs import replace

from jimm.errors import AlreadyExists, NotFound
from jimm.simulator import integrations
from jimm.simulator.entity_tags import parse_application_tag
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.state import RemoteApplication, RemoteEndpoint, Status
from jimm.wire.facade import method
from jimm.wire.params.consuming import (
    ConsumeApplication,
    ConsumeApplications,
    DestroyConsumedApplication,
    DestroyConsumedApplications,
)
from jimm.wire.tags import parse_controller_tag, parse_model_tag

VERSIONS = (15, 16, 17, 18, 19, 20)


class Consuming(OnModel):
    """Offers of other models are consumed and let go."""

    @method("Consume", versions=VERSIONS)
    async def consume(self, params: ConsumeApplications) -> Row:
        """Adds applications that stand for offers; they can be related as any other."""
        self.change()
        return {"results": rows(params.args, self._consume)}

    @method("DestroyConsumedApplications", versions=VERSIONS)
    async def destroy_consumed_applications(self, params: DestroyConsumedApplications) -> Row:
        """Lets them go, with their relations."""
        self.removal()
        return {"results": rows(params.applications, self._let_go)}

    def _consume(self, wanted: ConsumeApplication) -> Row:
        model = self.session.model
        name = wanted.application_alias or wanted.offer_name
        source = parse_model_tag(wanted.source_model_tag)
        before = model.remote_applications.get(name)
        if before is not None and before.source_model != source:
            raise AlreadyExists(
                f'saas application called "{name}" from a different model already exists'
            )
        if name in model.applications:
            raise AlreadyExists(
                f'cannot add saas application "{name}": local application with same name '
                "already exists"
            )
        there = wanted.external_controller
        remote = RemoteApplication(
            name=name,
            offer_uuid=wanted.offer_uuid,
            offer_url=wanted.offer_url,
            source_model=source,
            source_controller=parse_controller_tag(there.controller_tag) if there else "",
            endpoints=tuple(
                RemoteEndpoint(name=each.name, role=each.role, interface=each.interface)
                for each in wanted.endpoints
            ),
            status=Status(status="active", since=self.core.clock.now()),
        )
        remotes = {**model.remote_applications, name: remote}
        self.keep(replace(model, remote_applications=remotes))
        return {}

    def _let_go(self, wanted: DestroyConsumedApplication) -> Row:
        model = self.session.model
        name = parse_application_tag(wanted.application_tag)
        if name not in model.remote_applications:
            raise NotFound(f'saas application "{name}" not found')
        for relation in model.relations:
            if any(end.application == name for end in relation.endpoints):
                model = integrations.without(model, relation)
        remotes = {each: kept for each, kept in model.remote_applications.items() if each != name}
        self.keep(replace(model, remote_applications=remotes))
        return {}
