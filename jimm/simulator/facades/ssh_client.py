"""``SSHClient`` 4 (Juju ``apiserver/facades/client/sshclient``)."""

from jimm.errors import BadRequest, NotFound
from jimm.simulator import applications
from jimm.simulator.entity_tags import parse_machine_tag, parse_unit_tag
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.state import Machine
from jimm.wire.facade import method
from jimm.wire.params.common import Entities, Entity, Error


class SSHClient(OnModel):
    """Where ``juju ssh`` would go; nothing answers there."""

    name = "SSHClient"

    @method("PublicAddress", versions=(4,))
    async def public_address(self, params: Entities) -> Row:
        """Addresses of machines and units."""
        self.administration()
        return {"results": rows(params.entities, lambda each: {"address": self._address(each)})}

    @method("PrivateAddress", versions=(4,))
    async def private_address(self, params: Entities) -> Row:
        """The same: simulated machines have one address."""
        self.administration()
        return {"results": rows(params.entities, lambda each: {"address": self._address(each)})}

    @method("AllAddresses", versions=(4,))
    async def all_addresses(self, params: Entities) -> Row:
        """All of them."""
        self.administration()
        found = rows(params.entities, lambda each: {"addresses": [self._address(each)]})
        return {"results": [{"addresses": [], **row} for row in found]}

    @method("PublicKeys", versions=(4,))
    async def public_keys(self, params: Entities) -> Row:
        """Host keys, which simulated machines don't have."""
        self.administration()

        def one(entity: Entity) -> Row:
            raise NotFound(f"keys not found: {self._machine(entity).id} is simulated")

        return {"results": rows(params.entities, one)}

    @method("Proxy", versions=(4,))
    async def proxy(self) -> Row:
        """Whether to go through the controller."""
        self.administration()
        return {"use-proxy": False}

    @method("ModelCredentialForSSH", versions=(4,))
    async def model_credential(self) -> Row:
        """Refused: that is for container models."""
        self.administration()
        text = "facade ModelCredentialForSSH for non-caas model not supported"
        return {"error": Error(message=text, code="not supported")}

    def _machine(self, entity: Entity) -> Machine:
        model = self.session.model
        kind = entity.tag.partition("-")[0]
        if kind == "machine":
            return applications.find_machine(model, parse_machine_tag(entity.tag))
        if kind == "unit":
            unit = applications.find_unit(model, parse_unit_tag(entity.tag))
            return applications.find_machine(model, unit.machine)
        raise BadRequest(f'"{entity.tag}" is not a valid machine or unit tag')

    def _address(self, entity: Entity) -> str:
        return self._machine(entity).address
