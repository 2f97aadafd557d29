"""``MachineManager`` 9 and 10 (Juju ``apiserver/facades/client/machinemanager``)."""

from msgspec.structs import replace

from jimm.errors import Conflict, JimmError, NotFound, NotSupported
from jimm.simulator import applications
from jimm.simulator.entity_tags import machine_tag, parse_machine_tag, unit_tag
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.shapes import base_text, storage_fates
from jimm.wire import codes
from jimm.wire.facade import method
from jimm.wire.params import machine_manager as params_

VERSIONS = (9, 10)


class HasUnits(Conflict):
    """A machine with units goes only by force."""

    code = codes.MACHINE_HAS_UNITS


class HasContainers(Conflict):
    """A machine with containers goes only by force."""

    code = codes.MACHINE_HAS_CONTAINERS


class MachineManager(OnModel):
    """Machines come and go."""

    name = "MachineManager"

    @method("AddMachines", versions=VERSIONS)
    async def add_machines(self, params: params_.AddMachines) -> Row:
        """Adds machines and containers; they start a moment later."""
        self.change()
        found = rows(params.params, self._add)
        return {"machines": [{"machine": "", **row} for row in found]}

    @method("DestroyMachineWithParams", versions=VERSIONS)
    async def destroy_machines(self, params: params_.DestroyMachines) -> Row:
        """Lets machines die; says what goes with them."""
        self.removal()

        def one(tag: str) -> Row:
            return self._destroy(tag, params)

        return {"results": rows(params.machine_tags, one)}

    @method("InstanceTypes", versions=VERSIONS)
    async def instance_types(self, params: params_.InstanceTypes) -> Row:
        """What the simulated cloud has."""
        self.read()
        types = [
            {"name": name, "arches": ["amd64"], "cpu-cores": cores, "memory": cores * 2048}
            for name, cores in (("sim.small", 1), ("sim.medium", 2), ("sim.large", 4))
        ]
        return {"results": [{"instance-types": types} for _ in params.constraints]}

    @method("ProvisioningScript", versions=VERSIONS)
    async def provisioning_script(self, params: params_.ProvisioningScript) -> Row:
        """The script that would make a machine this one; it does nothing.

        Raises:
            NotFound: no such machine.
        """
        model = self.change()
        found = applications.find_machine(model, params.machine_id)
        return {"script": f"#!/bin/bash\n# machine {found.id} is simulated\nexit 0\n"}

    @method("RetryProvisioning", versions=VERSIONS)
    async def retry_provisioning(self, params: params_.RetryProvisioning) -> Row:
        """Starts machines again that could not be started."""
        self.change()
        if params.all:
            failed = [
                each.id
                for each in self.session.model.machines.values()
                if "error" in each.instance_status
            ]
            return {"results": rows(map(machine_tag, failed), self._retry)}
        return {"results": rows(params.machines, self._retry)}

    @method("UpgradeSeriesValidate", versions=VERSIONS)
    async def upgrade_series_validate(self, params: params_.UpdateChannels) -> Row:
        """Whether machines could be brought to another base."""
        self.read()

        def refuse(wanted: params_.UpdateChannel) -> Row:
            applications.find_machine(self.session.model, parse_machine_tag(wanted.tag.tag))
            raise NotSupported("a simulated machine has no base to upgrade")

        return {"Results": [{"unit-names": [], **row} for row in rows(params.args, refuse)]}

    @method("UpgradeSeriesPrepare", versions=VERSIONS)
    async def upgrade_series_prepare(self, params: params_.UpdateChannel) -> Row:
        """Refused: a simulated machine stays as it is."""
        return self._no_upgrade(params)

    @method("UpgradeSeriesComplete", versions=VERSIONS)
    async def upgrade_series_complete(self, params: params_.UpdateChannel) -> Row:
        """Refused: a simulated machine stays as it is."""
        return self._no_upgrade(params)

    def _no_upgrade(self, wanted: params_.UpdateChannel) -> Row:
        model = self.change()

        def refuse(tag: str) -> Row:
            applications.find_machine(model, parse_machine_tag(tag))
            raise NotSupported("a simulated machine has no base to upgrade")

        return rows([wanted.tag.tag], refuse)[0]

    def _add(self, wanted: params_.AddMachine) -> Row:
        model = self.session.model
        parent = wanted.parent_id
        scope = wanted.placement.scope if wanted.placement is not None else ""
        if scope in ("#", "lxd") and wanted.placement is not None:
            parent = parent or wanted.placement.directive
        container = wanted.container_type or ("lxd" if scope == "lxd" else "")
        if container not in ("", "lxd"):
            raise NotSupported(f'container type "{container}"')
        now = self.core.clock.now()
        base = base_text(wanted.base)
        if container and not parent:
            model, parent = applications.with_machine(model, now, base=base, kept=True)
        if parent and not container:
            raise NotFound(f'machine placement "{parent}" not found')
        model, made = applications.with_machine(model, now, parent=parent, base=base, kept=True)
        machine = replace(model.machines[made], constraints=wanted.constraints)
        self.keep(replace(model, machines={**model.machines, made: machine}))
        return {"machine": made}

    def _destroy(self, tag: str, wanted: params_.DestroyMachines) -> Row:
        model = self.session.model
        found = applications.find_machine(model, parse_machine_tag(tag))
        units = [unit.name for unit in applications.units_on(model, found.id)]
        inside = applications.containers_in(model, found.id)
        info: Row = {"machine-id": found.id}
        if units:
            info["destroyed-units"] = [{"tag": unit_tag(name)} for name in units]
        info.update(storage_fates(model, units, destroyed=False))
        if wanted.force or wanted.dry_run:
            nested = rows(map(machine_tag, inside), lambda each: self._destroy(each, wanted))
            if nested:
                info["destroyed-containers"] = nested
        if wanted.dry_run:
            return {"info": info}
        if not wanted.force:
            _check_empty(found.id, units, inside)
        model = self.session.model  # force has destroyed the containers meanwhile
        self.keep(applications.without_machine(model, found.id))
        return {"info": info}

    def _retry(self, tag: str) -> Row:
        model = self.session.model
        found = applications.find_machine(model, parse_machine_tag(tag))
        if "error" not in found.instance_status:
            raise JimmError(f'"machine-{found.id}" is not in an error state')
        again = replace(found, instance_status="pending", status="pending", message="")
        self.keep(replace(model, machines={**model.machines, found.id: again}))
        return {}


def _check_empty(machine_id: str, units: list[str], inside: list[str]) -> None:
    if units:
        listed = " ".join(f'"{name}"' for name in units)
        text = f'unit "{units[0]}"' if len(units) == 1 else f"units [{listed}]"
        raise HasUnits(f"machine {machine_id} has {text} assigned")
    if inside:
        raise HasContainers(f'machine {machine_id} is hosting containers "{",".join(inside)}"')
