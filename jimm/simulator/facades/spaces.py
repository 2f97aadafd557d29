"""``Spaces`` 6 and ``Subnets`` 5 (Juju ``apiserver/facades/client/spaces``, ``subnets``).

The simulated cloud has one subnet; it is in ``alpha`` until another space takes it.
"""

from typing import Final

from msgspec.structs import replace

from jimm.errors import AlreadyExists, BadRequest, NotFound
from jimm.simulator.entity_tags import parse_space_tag
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.sequences import taken
from jimm.simulator.shapes import ALPHA
from jimm.simulator.state import Model, Space
from jimm.wire.facade import method
from jimm.wire.params import spaces as params_
from jimm.wire.params.common import Entities, Entity

_SUBNET: Final = "10.0.0.0/16"


class Spaces(OnModel):
    """Network spaces."""

    name = "Spaces"

    @method("ListSpaces", versions=(6,))
    async def list_spaces(self) -> Row:
        """All spaces with their subnets."""
        model = self.read()
        return {"results": [_space(model, each) for each in _spaces(model)]}

    @method("ShowSpace", versions=(6,))
    async def show_space(self, params: Entities) -> Row:
        """Some spaces, with what uses them."""
        model = self.read()

        def one(entity: Entity) -> Row:
            space = _find(model, parse_space_tag(entity.tag))
            used = [
                each.name
                for each in model.applications.values()
                if space.name in (each.bindings or {"": ALPHA}).values()
            ]
            machines = len(model.machines) if _SUBNET in _cidrs(model, space) else 0
            shown = _space(model, space)
            return {"space": shown, "applications": sorted(used), "machine-count": machines}

        found = rows(params.entities, one)
        empty = {"space": {"id": "", "name": "", "subnets": []}, "applications": []}
        return {"results": [{**empty, "machine-count": 0, **row} for row in found]}

    @method("CreateSpaces", versions=(6,))
    async def create_spaces(self, params: params_.CreateSpaces) -> Row:
        """Adds spaces; the subnets leave the ones that they were in."""
        self.administration()
        self.change()
        return {"results": rows(params.spaces, self._create)}

    @method("RemoveSpace", versions=(6,))
    async def remove_space(self, params: params_.RemoveSpaces) -> Row:
        """Removes spaces; their subnets fall to ``alpha``."""
        self.administration()
        self.removal()
        return {"results": rows(params.space_param, self._remove)}

    @method("RenameSpace", versions=(6,))
    async def rename_space(self, params: params_.RenameSpaces) -> Row:
        """Renames spaces."""
        self.administration()
        self.change()
        return {"results": rows(params.changes, self._rename)}

    @method("ReloadSpaces", versions=(6,))
    async def reload_spaces(self) -> None:
        """Nothing to do: the simulated cloud has no spaces of its own."""
        self.administration()
        self.change()

    def _create(self, wanted: params_.CreateSpace) -> Row:
        model = self.session.model
        name = parse_space_tag(wanted.space_tag)
        if any(each.name == name for each in _spaces(model)):
            raise AlreadyExists(f'adding space "{name}": space "{name}" already exists')
        for cidr in wanted.cidrs:
            if cidr != _SUBNET:
                raise NotFound(f'subnet "{cidr}" not found')
        spaces = {
            each.name: replace(each, cidrs=tuple(c for c in each.cidrs if c not in wanted.cidrs))
            for each in model.spaces.values()
        }
        model, number = taken(model, "space", first=1)
        spaces[name] = Space(id=str(number), name=name, cidrs=tuple(wanted.cidrs))
        self.keep(replace(model, spaces=spaces))
        return {}

    def _remove(self, wanted: params_.RemoveSpace) -> Row:
        model = self.session.model
        space = _find(model, parse_space_tag(wanted.space.tag))
        if space.name == ALPHA:
            raise BadRequest("the alpha space cannot be removed")
        used = [
            {"tag": f"application-{each.name}"}
            for each in model.applications.values()
            if space.name in each.bindings.values()
        ]
        if wanted.dry_run or (used and not wanted.force):
            return {"bindings": used} if used else {}
        left = {key: each for key, each in model.spaces.items() if key != space.name}
        self.keep(replace(model, spaces=left))
        return {}

    def _rename(self, wanted: params_.RenameSpace) -> Row:
        model = self.session.model
        space = _find(model, parse_space_tag(wanted.from_space_tag))
        name = parse_space_tag(wanted.to_space_tag)
        if space.name == ALPHA:
            raise BadRequest('the "alpha" space cannot be renamed')
        if any(each.name == name for each in _spaces(model)):
            raise AlreadyExists(f'space "{name}" already exists')
        others = {key: each for key, each in model.spaces.items() if key != space.name}
        self.keep(replace(model, spaces={**others, name: replace(space, name=name)}))
        return {}


class Subnets(OnModel):
    """The simulated cloud's subnet."""

    name = "Subnets"

    @method("AllZones", versions=(5,))
    async def all_zones(self) -> Row:
        """The zones."""
        self.read()
        return {"results": [{"name": "zone-1", "available": True}]}

    @method("ListSubnets", versions=(5,))
    async def list_subnets(self, params: params_.ListSubnets) -> Row:
        """The subnets, of one space or zone or of all."""
        model = self.read()
        wanted = parse_space_tag(params.space_tag) if params.space_tag else ""
        found = [
            _subnet(space.name, cidr)
            for space in _spaces(model)
            for cidr in _cidrs(model, space)
            if wanted in ("", space.name) and params.zone in ("", "zone-1")
        ]
        return {"results": found}

    @method("SubnetsByCIDR", versions=(5,))
    async def subnets_by_cidr(self, params: params_.CIDRs) -> Row:
        """Subnets by their CIDR."""
        model = self.read()

        def one(cidr: str) -> Row:
            if "/" not in cidr:
                raise BadRequest(f'CIDR "{cidr}" not valid')
            spaces = [each for each in _spaces(model) if cidr in _cidrs(model, each)]
            return {"subnets": [{"id": "0", **_subnet(each.name, cidr)} for each in spaces]}

        return {"results": rows(params.cidrs, one)}


def _spaces(model: Model) -> list[Space]:
    return [Space(id="0", name=ALPHA), *model.spaces.values()]


def _find(model: Model, name: str) -> Space:
    for space in _spaces(model):
        if space.name == name:
            return space
    raise NotFound(f'space "{name}" not found')


def _cidrs(model: Model, space: Space) -> list[str]:
    if space.name != ALPHA:
        return list(space.cidrs)
    taken_ones = {cidr for each in model.spaces.values() for cidr in each.cidrs}
    return [each for each in (_SUBNET,) if each not in taken_ones]


def _space(model: Model, space: Space) -> Row:
    subnets = [_subnet(space.name, cidr) for cidr in _cidrs(model, space)]
    return {"id": space.id, "name": space.name, "subnets": subnets}


def _subnet(space: str, cidr: str) -> Row:
    return {
        "cidr": cidr,
        "provider-id": "subnet-0",
        "vlan-tag": 0,
        "life": "alive",
        "space-tag": f"space-{space}",
        "zones": ["zone-1"],
    }
