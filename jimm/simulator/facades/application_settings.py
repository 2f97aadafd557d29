"""The part of ``Application`` about settings, constraints, exposure and spaces."""

from msgspec.structs import replace

from jimm.errors import JimmError, NotFound
from jimm.simulator import applications, charm_store, settings
from jimm.simulator.entity_tags import parse_application_tag
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.shapes import ALPHA, base_of, spaces_by_endpoint
from jimm.simulator.state import Application
from jimm.wire.facade import method
from jimm.wire.params.application import (
    ApplicationArgs,
    ApplicationName,
    ConfigSet,
    ConfigSets,
    ConfigUnset,
    ConfigUnsets,
    Expose,
    MergeBinding,
    MergeBindings,
    SetConstraints,
    Unexpose,
)
from jimm.wire.params.common import Entities, Entity

VERSIONS = (15, 16, 17, 18, 19, 20)


class Settings(OnModel):
    """How applications are set."""

    @method("Get", versions=VERSIONS)
    async def get(self, params: ApplicationName) -> Row:
        """One application's settings, each with its default and source.

        Raises:
            NotFound: no such application.
        """
        model = self.read()
        found = applications.find(model, params.application)
        return {
            "application": found.name,
            "charm": charm_store.charm_of(model, found).name,
            "config": settings.described(model, found),
            "application-config": settings.described_trust(found),
            "constraints": found.constraints,
            "base": base_of(found.base),
            "channel": found.channel,
            "endpoint-bindings": spaces_by_endpoint(model, found),
        }

    @method("CharmConfig", versions=VERSIONS)
    async def charm_config(self, params: ApplicationArgs) -> Row:
        """Some applications' settings."""
        self.read()
        names = [each.application for each in params.args]
        return {"Results": rows(names, self._config)}

    @method("GetConfig", versions=VERSIONS)
    async def get_config(self, params: Entities) -> Row:
        """The same, by tag."""
        self.read()

        def one(entity: Entity) -> Row:
            return self._config(parse_application_tag(entity.tag))

        return {"Results": rows(params.entities, one)}

    @method("SetConfigs", versions=VERSIONS)
    async def set_configs(self, params: ConfigSets) -> Row:
        """Sets some settings of some applications."""
        self.change()
        return {"results": rows(params.args, self._set_config)}

    @method("UnsetApplicationsConfig", versions=VERSIONS)
    async def unset_applications_config(self, params: ConfigUnsets) -> Row:
        """Lets settings be the defaults again."""
        self.change()
        return {"results": rows(params.args, self._unset_config)}

    @method("GetConstraints", versions=VERSIONS)
    async def get_constraints(self, params: Entities) -> Row:
        """Some applications' constraints."""
        self.read()
        return {"results": [self._constraints(each) for each in params.entities]}

    @method("SetConstraints", versions=VERSIONS)
    async def set_constraints(self, params: SetConstraints) -> None:
        """Sets all constraints of an application at once.

        Raises:
            NotFound: no such application.
        """
        self.change()
        found = applications.find(self.session.model, params.application)
        if found.subordinate:
            raise JimmError("constraints do not apply to subordinate applications")
        self._keep(replace(found, constraints=params.constraints))

    @method("Expose", versions=VERSIONS)
    async def expose(self, params: Expose) -> None:
        """Opens an application's ports, all or those of some endpoints.

        Raises:
            NotFound: no such application.
        """
        self.change()
        found = applications.find(self.session.model, params.application)
        wanted = {
            name: {
                "expose-to-spaces": each.expose_to_spaces,
                "expose-to-cidrs": each.expose_to_cidrs,
            }
            for name, each in params.exposed_endpoints.items()
        }
        opened = {name: {k: v for k, v in to.items() if v} for name, to in wanted.items()}
        merged = {**found.exposed_endpoints, **opened}
        self._keep(replace(found, exposed=True, exposed_endpoints=merged))

    @method("Unexpose", versions=VERSIONS)
    async def unexpose(self, params: Unexpose) -> None:
        """Closes them.

        Raises:
            NotFound: no such application.
        """
        self.change()
        found = applications.find(self.session.model, params.application)
        closed = set(params.exposed_endpoints) or set(found.exposed_endpoints)
        left = {name: to for name, to in found.exposed_endpoints.items() if name not in closed}
        self._keep(replace(found, exposed=bool(left), exposed_endpoints=left))

    @method("MergeBindings", versions=VERSIONS)
    async def merge_bindings(self, params: MergeBindings) -> Row:
        """Binds endpoints to spaces."""
        self.change()
        return {"results": rows(params.args, self._bind)}

    def _keep(self, application: Application) -> None:
        self.keep(applications.with_changed(self.session.model, application))

    def _config(self, name: str) -> Row:
        model = self.session.model
        return {"config": settings.described(model, applications.find(model, name))}

    def _set_config(self, wanted: ConfigSet) -> Row:
        model = self.session.model
        found = applications.find(model, wanted.application)
        found = settings.with_yaml(model, found, wanted.config_yaml)
        self._keep(settings.with_texts(model, found, wanted.config))
        return {}

    def _unset_config(self, wanted: ConfigUnset) -> Row:
        model = self.session.model
        found = applications.find(model, wanted.application)
        self._keep(settings.without(model, found, wanted.options))
        return {}

    def _constraints(self, entity: Entity) -> Row:
        def one(tag: str) -> Row:
            found = applications.find(self.session.model, parse_application_tag(tag))
            return {"constraints": found.constraints}

        return {"constraints": {}, **rows([entity.tag], one)[0]}

    def _bind(self, wanted: MergeBinding) -> Row:
        model = self.session.model
        found = applications.find(model, parse_application_tag(wanted.application_tag))
        known = set(spaces_by_endpoint(model, found))
        for endpoint, space in wanted.bindings.items():
            if endpoint not in known:
                raise NotFound(f'endpoint "{endpoint}" not found')
            if space != ALPHA and space not in model.spaces:
                raise NotFound(f'space "{space}" not found')
        self._keep(replace(found, bindings={**found.bindings, **wanted.bindings}))
        return {}
