"""``Application`` 15 to 20, ``Charms`` 6 and 7, ``Annotations`` 2: what clients read, and a
``Deploy`` whose units are active at once."""

import msgspec

from jimm.errors import AlreadyExists, JimmError, NotFound
from jimm.simulator import scenarios
from jimm.simulator.session import Answering, each
from jimm.simulator.state import Application as Deployed
from jimm.wire.facade import method
from jimm.wire.params.application import (
    AnnotationsResults,
    ApplicationConstraints,
    ApplicationConstraintsResults,
    ApplicationDeploy,
    ApplicationGet,
    ApplicationInfoResult,
    ApplicationInfoResults,
    ApplicationName,
    ApplicationResult,
    ApplicationsDeploy,
    CharmsList,
    CharmURLs,
    EntityAnnotations,
    SetAnnotations,
)
from jimm.wire.params.client import Base
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults

VERSIONS = (15, 16, 17, 18, 19, 20)


class Application(Answering):
    """The applications of one model."""

    name = "Application"

    @method("Get", versions=VERSIONS)
    async def get(self, params: ApplicationName) -> ApplicationGet:
        """One application's configuration."""
        self.caller.require_model(self.core, self.session.model, "read")
        found = self._find(params.application)
        return ApplicationGet(
            application=found.name,
            charm=found.charm.partition("/")[2].rpartition("-")[0] or found.charm,
            config=found.config,
            constraints=found.constraints,
            base=_base(found),
            channel=found.channel,
            endpoint_bindings={"": "alpha"},
        )

    @method("ApplicationsInfo", versions=VERSIONS)
    async def applications_info(self, params: Entities) -> ApplicationInfoResults:
        """Some applications in short."""
        self.caller.require_model(self.core, self.session.model, "read")
        return ApplicationInfoResults(results=[self._info(each) for each in params.entities])

    @method("GetConstraints", versions=VERSIONS)
    async def get_constraints(self, params: Entities) -> ApplicationConstraintsResults:
        """Some applications' constraints."""
        self.caller.require_model(self.core, self.session.model, "read")
        rows = [self._constraints(each) for each in params.entities]
        return ApplicationConstraintsResults(results=rows)

    @method("Deploy", versions=VERSIONS)
    async def deploy(self, params: ApplicationsDeploy) -> ErrorResults:
        """Adds applications; their units are active at once."""
        self.caller.require_model(self.core, self.session.model, "write")
        return await each(params.applications, self._deploy)

    @method("Expose", versions=VERSIONS)
    async def expose(self, params: ApplicationName) -> None:
        """Opens an application's ports."""
        self._set_exposed(params.application, exposed=True)

    @method("Unexpose", versions=VERSIONS)
    async def unexpose(self, params: ApplicationName) -> None:
        """Closes them."""
        self._set_exposed(params.application, exposed=False)

    def _find(self, name: str) -> Deployed:
        found = self.session.model.applications.get(name)
        if found is None:
            raise NotFound(f'application "{name}" not found')
        return found

    def _info(self, entity: Entity) -> ApplicationInfoResult:
        try:
            found = self._find(entity.tag.removeprefix("application-"))
        except JimmError as error:
            return ApplicationInfoResult(error=Error.of(error))
        return ApplicationInfoResult(
            result=ApplicationResult(
                tag=f"application-{found.name}",
                charm=found.charm.partition("/")[2].rpartition("-")[0] or found.charm,
                base=_base(found),
                channel=found.channel,
                constraints=found.constraints,
                principal=True,
                exposed=found.exposed,
                remote=False,
                life=found.life,
                endpoint_bindings={"": "alpha"},
            )
        )

    def _constraints(self, entity: Entity) -> ApplicationConstraints:
        try:
            found = self._find(entity.tag.removeprefix("application-"))
        except JimmError as error:
            return ApplicationConstraints(constraints={}, error=Error.of(error))
        return ApplicationConstraints(constraints=found.constraints)

    async def _deploy(self, wanted: ApplicationDeploy) -> None:
        model = self.session.model
        if wanted.application in model.applications:
            raise AlreadyExists(
                f'cannot add application "{wanted.application}": application already exists'
            )
        self.core.store.put(
            scenarios.with_application(
                model,
                wanted.application,
                units=wanted.num_units,
                charm=wanted.charm_url,
                channel=wanted.channel or "latest/stable",
                now=self.core.clock.now(),
            )
        )

    def _set_exposed(self, name: str, *, exposed: bool) -> None:
        model = self.session.model
        self.caller.require_model(self.core, model, "write")
        changed = msgspec.structs.replace(self._find(name), exposed=exposed)
        applications = {**model.applications, name: changed}
        self.core.store.put(msgspec.structs.replace(model, applications=applications))


class Charms(Answering):
    """The charms of one model."""

    name = "Charms"

    @method("List", versions=(6, 7))
    async def list_charms(self, params: CharmsList) -> CharmURLs:
        """The charms in use."""
        model = self.session.model
        self.caller.require_model(self.core, model, "read")
        urls = sorted({application.charm for application in model.applications.values()})
        wanted = [url for url in urls if not params.names or any(n in url for n in params.names)]
        return CharmURLs(charm_urls=wanted)


class Annotations(Answering):
    """Notes on the things of one model."""

    name = "Annotations"

    @method("Get", versions=(2,))
    async def get(self, params: Entities) -> AnnotationsResults:
        """What is noted."""
        model = self.session.model
        self.caller.require_model(self.core, model, "read")
        return AnnotationsResults(
            results=[
                EntityAnnotations(
                    entity=entity.tag, annotations=model.annotations.get(entity.tag, {})
                )
                for entity in params.entities
            ]
        )

    @method("Set", versions=(2,))
    async def set(self, params: SetAnnotations) -> ErrorResults:
        """Notes something; an empty text takes the note away."""
        self.caller.require_model(self.core, self.session.model, "write")
        return await each(params.annotations, self._set)

    async def _set(self, wanted: EntityAnnotations) -> None:
        model = self.session.model
        merged = {**model.annotations.get(wanted.entity, {}), **wanted.annotations}
        kept = {key: value for key, value in merged.items() if value}
        annotations = {**model.annotations, wanted.entity: kept}
        self.core.store.put(msgspec.structs.replace(model, annotations=annotations))


def _base(application: Deployed) -> Base:
    name, _, channel = application.base.partition("@")
    return Base(name=name, channel=f"{channel}/stable")
