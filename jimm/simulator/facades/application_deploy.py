"""The part of ``Application`` that deploys and refreshes."""

from collections.abc import Sequence

from msgspec.structs import replace

from jimm.errors import BadRequest, JimmError, NotFound
from jimm.simulator import applications, charm_store, integrations, settings
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.shapes import base_of, base_text
from jimm.simulator.state import Application, Charm, Model, Status
from jimm.wire.facade import method
from jimm.wire.params.application import (
    ApplicationDeploy,
    ApplicationName,
    ApplicationsDeploy,
    CharmOrigin,
    DeployFromRepository,
    DeployFromRepositoryArgs,
    Placement,
    SetCharm,
)
from jimm.wire.params.common import Error

VERSIONS = (15, 16, 17, 18, 19, 20)


class Deployments(OnModel):
    """Applications come, and their charms change."""

    @method("Deploy", versions=VERSIONS)
    async def deploy(self, params: ApplicationsDeploy) -> Row:
        """Adds applications of charms that the model has, or that Charmhub would have."""
        self.change()
        return {"results": rows(params.applications, self._deploy)}

    @method("DeployFromRepository", versions=(19, 20))
    async def deploy_from_repository(self, params: DeployFromRepositoryArgs) -> Row:
        """Adds applications of charms from the simulated Charmhub."""
        self.removal()  # Juju 3.6 asks for this one, not for a change
        return {"Results": [self._deploy_named(each) for each in params.args]}

    @method("SetCharm", versions=VERSIONS)
    async def set_charm(self, params: SetCharm) -> None:
        """Gives an application another revision or charm.

        Raises:
            NotFound: no such application.
            BadRequest: no charm is named.
        """
        model = self.session.model if params.force_units else self.change()
        self.caller.require_model(self.core, model, "write")
        if not params.charm_url:
            raise BadRequest("charm url is empty")
        found = applications.find(model, params.application)
        charm = charm_store.charm_at(model, params.charm_url)
        if charm_store.is_subordinate(charm) != found.subordinate:
            raise JimmError("cannot change an application's subordinacy")
        changed = replace(
            found,
            charm=charm.url,
            channel=_channel(params.channel, params.charm_origin, charm) or found.channel,
            bindings={**found.bindings, **params.endpoint_bindings},
        )
        changed = settings.with_texts(model, changed, params.config_settings)
        changed = settings.with_yaml(model, changed, params.config_settings_yaml)
        self.keep(applications.with_changed(model, changed))

    @method("GetCharmURLOrigin", versions=VERSIONS)
    async def get_charm_url_origin(self, params: ApplicationName) -> Row:
        """The charm of an application and where it comes from."""
        model = self.session.model
        self.caller.require_model(self.core, model, "write")
        try:
            found = applications.find(model, params.application)
        except JimmError as error:
            return {"url": "", "charm-origin": _no_origin(), "error": Error.of(error)}
        return {"url": found.charm, "charm-origin": _origin(found)}

    def _deploy(self, wanted: ApplicationDeploy) -> Row:
        if not wanted.charm_url:
            raise BadRequest("charm url is empty")
        model = self.session.model
        if wanted.charm_url.startswith("local:") and wanted.charm_url not in model.charms:
            raise NotFound(f'charm "{wanted.charm_url}" not found')
        charm = charm_store.charm_at(model, wanted.charm_url)
        origin = wanted.charm_origin
        application = Application(
            name=wanted.application,
            charm=wanted.charm_url,
            channel=_channel(wanted.channel, origin, charm),
            base=base_text(origin.base if origin is not None else None),
            constraints=wanted.constraints,
            bindings=wanted.endpoint_bindings,
            subordinate=charm_store.is_subordinate(charm),
            status=Status(
                status="waiting", info="waiting for machine", since=self.core.clock.now()
            ),
        )
        application = settings.with_values(model, application, wanted.config)
        application = settings.with_yaml(model, application, wanted.config_yaml)
        self._add(model, application, wanted.num_units, wanted.placement)
        return {}

    def _add(
        self, model: Model, application: Application, units: int, placement: Sequence[Placement]
    ) -> None:
        model = applications.with_new(model, application)
        model = integrations.with_peers(model, application)
        model = _with_its_resources(model, application.name)
        if not application.subordinate:
            where = directives(placement)
            now = self.core.clock.now()
            model, _ = applications.with_units(model, application.name, units, now, where)
        self.keep(model)

    def _deploy_named(self, wanted: DeployFromRepository) -> Row:
        try:
            charm = charm_store.known_charm(wanted.charm_name, revision=wanted.revision)
            application = self._application(wanted, charm)
            if not wanted.dry_run:
                model = self.session.model
                model = replace(model, charms={**model.charms, charm.url: charm})
                units = 1 if wanted.num_units is None else wanted.num_units
                self._add(model, application, units, wanted.placement)
        except JimmError as error:
            return {"Errors": [Error.of(error)], "Info": _no_info(), "PendingResourceUploads": []}
        info = {
            "architecture": "amd64",
            "base": base_of(application.base),
            "channel": application.channel,
            "name": application.name,
            "revision": charm.revision,
        }
        return {"Errors": [], "Info": info, "PendingResourceUploads": []}

    def _application(self, wanted: DeployFromRepository, charm: Charm) -> Application:
        application = Application(
            name=wanted.application_name or charm.name,
            charm=charm.url,
            channel=_channel(wanted.channel or "", None, charm),
            base=base_text(wanted.base),
            constraints=wanted.constraints,
            bindings=wanted.endpoint_bindings,
            subordinate=charm_store.is_subordinate(charm),
            trust=wanted.trust,
            status=Status(
                status="waiting", info="waiting for machine", since=self.core.clock.now()
            ),
        )
        return settings.with_yaml(self.session.model, application, wanted.config_yaml)


def directives(placement: Sequence[Placement]) -> list[str]:
    """Where units go: a machine's id, ``lxd:1``, or an empty text."""
    found = []
    for each in placement:
        if each.scope == "#":
            found.append(each.directive)
        elif each.scope == "lxd":
            found.append(f"lxd:{each.directive}" if each.directive else "")
        else:
            found.append("")
    return found


def _with_its_resources(model: Model, name: str) -> Model:
    """Uploads that waited for this application are its own from now on."""
    owned = tuple(
        replace(each, pending_id="") if each.application == name else each
        for each in model.resources
    )
    return replace(model, resources=owned)


def _channel(channel: str, origin: CharmOrigin | None, charm: Charm) -> str:
    if charm.url.startswith("local:"):
        return ""
    if not channel and origin is not None and origin.risk:
        channel = f"{origin.track or 'latest'}/{origin.risk}"
    channel = channel or "latest/stable"
    return channel if "/" in channel else f"latest/{channel}"


def _origin(application: Application) -> Row:
    if application.charm.startswith("local:"):
        source: Row = {"source": "local", "type": "charm", "id": "", "hash": ""}
    else:
        track, _, risk = application.channel.partition("/")
        name = charm_store.charm_named(application.charm)
        source = {"source": "charm-hub", "type": "charm", "id": f"simulated-{name}"}
        source.update(hash="", track=track, risk=risk)
    revision = charm_store.revision_of(application.charm)
    base = base_of(application.base)
    return {**source, "revision": revision, "architecture": "amd64", "base": base}


def _no_origin() -> Row:
    return {"source": "", "type": "", "id": ""}


def _no_info() -> Row:
    return {"architecture": "", "channel": "", "name": "", "revision": 0}
