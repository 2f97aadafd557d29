"""``Charms`` 6 and 7: the charms of one model, and those of a store that is not there."""

from msgspec.structs import replace

from jimm.errors import NotFound, NotSupported
from jimm.simulator import charm_info, charm_store, resources
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.state import Charm
from jimm.wire.facade import method
from jimm.wire.params.application import CharmOrigin, CharmsList, CharmURLs
from jimm.wire.params.charms import (
    AddCharm,
    CharmAndOrigin,
    CharmPlacement,
    CharmPlacements,
    CharmsAndOrigins,
    CharmURL,
    Reference,
    References,
)
from jimm.wire.params.common import ErrorResult, ErrorResults

VERSIONS = (6, 7)


class Charms(OnModel):
    """What charms are there, and what they say."""

    name = "Charms"

    @method("List", versions=VERSIONS)
    async def list_charms(self, params: CharmsList) -> CharmURLs:
        """The model's charms."""
        model = self.read()
        used = {application.charm for application in model.applications.values()}
        urls = sorted(used | set(model.charms))
        wanted = [url for url in urls if not params.names or any(n in url for n in params.names)]
        return CharmURLs(charm_urls=wanted)

    @method("CharmInfo", versions=VERSIONS)
    async def charm_info(self, params: CharmURL) -> Row:
        """What a charm of the model says of itself."""
        model = self.read()
        used = {application.charm for application in model.applications.values()}
        if params.url not in used | set(model.charms):
            raise NotFound(f'charm "{params.url}" not found')
        return charm_info.described(charm_store.charm_at(model, params.url))

    @method("AddCharm", versions=VERSIONS)
    async def add_charm(self, params: AddCharm) -> Row:
        """Puts a charm of the store into the model; an uploaded one is there already."""
        model = self.change()
        if params.url in model.charms:
            return {"charm-origin": _origin(model.charms[params.url], params.charm_origin)}
        charm = _stored(params.url, params.charm_origin)
        self.keep(replace(model, charms={**model.charms, charm.url: charm}))
        return {"charm-origin": _origin(charm, params.charm_origin)}

    @method("ResolveCharms", versions=(6,))
    async def resolve_charms_with_series(self, params: References) -> Row:
        """What references stand for, with the names of the series that they run on."""
        self.read()
        found = rows(params.resolve, _resolved)
        for each in found:
            each["supported-series"] = ["noble", "jammy"]
            each.pop("supported-bases", None)
        return {"results": found}

    @method("ResolveCharms", versions=(7,))
    async def resolve_charms(self, params: References) -> Row:
        """What references stand for."""
        self.read()
        return {"results": rows(params.resolve, _resolved)}

    @method("GetDownloadInfos", versions=VERSIONS)
    async def download_infos(self, params: CharmsAndOrigins) -> Row:
        """Where charms could be fetched; nothing is there."""
        self.read()
        return {"results": [_download(each) for each in params.entities]}

    @method("CheckCharmPlacement", versions=VERSIONS)
    async def check_placement(self, params: CharmPlacements) -> ErrorResults:
        """Every charm fits everywhere here."""
        self.read()
        return ErrorResults(results=[_fits(each) for each in params.placements])

    @method("IsMetered", versions=VERSIONS)
    async def is_metered(self, params: CharmURL) -> Row:
        """No charm is any more."""
        self.read()
        return {"metered": False}

    @method("ListCharmResources", versions=VERSIONS)
    async def list_resources(self, params: CharmsAndOrigins) -> Row:
        """What charms of the store need besides."""
        model = self.read()
        return {
            "results": [
                [
                    resources.charm_resource(replace(found, origin="store", revision=1))
                    for found in resources.declared_by(charm_store.charm_at(model, each.charm_url))
                ]
                for each in params.entities
            ]
        }


def _resolved(wanted: Reference) -> Row:
    charm = _stored(wanted.reference, wanted.charm_origin)
    return {
        "url": charm.url,
        "charm-origin": _origin(charm, wanted.charm_origin),
        "supported-bases": charm_info.supported_bases(),
    }


def _stored(reference: str, origin: CharmOrigin) -> Charm:
    if reference.startswith("local:"):
        raise NotSupported(f'charm "{reference}" is not in this model: upload it')
    name = charm_store.charm_named(reference)
    return charm_store.known_charm(name, revision=origin.revision)


def _origin(charm: Charm, wanted: CharmOrigin) -> Row:
    base = wanted.base
    named = base is not None and base.name
    return {
        "source": wanted.source or "charm-hub",
        "type": "charm",
        "id": f"simulated-{charm.name}",
        "hash": charm.sha256,
        "risk": wanted.risk or "stable",
        "revision": charm.revision,
        "track": wanted.track or "latest",
        "architecture": wanted.architecture or "amd64",
        "base": base if named else charm_info.supported_bases()[0],
    }


def _download(wanted: CharmAndOrigin) -> Row:
    charm = _stored(wanted.charm_url, wanted.charm_origin)
    return {
        "url": f"https://charmhub.invalid/{charm.name}_{charm.revision}.charm",
        "charm-origin": _origin(charm, wanted.charm_origin),
    }


def _fits(_placement: CharmPlacement) -> ErrorResult:
    return ErrorResult()
