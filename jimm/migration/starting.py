"""What asking a source to begin takes: people and a login on the target, and the call itself."""

import base64
import binascii
from collections.abc import Collection

from jimm.controllers import deadlines
from jimm.controllers.calls import controller as controller_calls
from jimm.errors import (
    ControllerUnavailable,
    JimmError,
    LostAnswer,
    ProtocolError,
    RemoteError,
    WrongController,
)
from jimm.migration import facts, outside, preparing, target_login, users
from jimm.migration.operation import Operation
from jimm.migration.orders import Begun, Lost, Ready, Refused, Unready
from jimm.migration.verdict import Present
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.wire import tags
from jimm.wire.params.controller import MigrationSpec, MigrationTargetInfo
from jimm.wire.params.migration_target import BytesResult
from jimm.wire.secret import Secret


class Starting:
    """Keeps what was made ready, password included, until the source is asked."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._spec: MigrationSpec | None = None
        self._refused = False

    async def make_ready(self) -> Ready | Unready:
        """Prepares the target."""
        try:
            self._spec = await _prepare(self._operation, anew=self._refused)
        except JimmError as error:
            away = isinstance(error, ControllerUnavailable | LostAnswer | WrongController)
            return Unready(str(error), away=away)
        return Ready()

    async def ask(self, within: float) -> Begun | Refused | Lost:
        """Asks the source; nothing is asked where nothing was made ready."""
        spec, self._spec = self._spec, None
        if spec is None:
            return Lost("nothing was made ready")
        try:
            link = self._operation.fleet.link(self._operation.source)
            return Begun(await controller_calls.initiate_migration(link, spec, deadline=within))
        except RemoteError as error:
            self._refused = True  # it may be the login that was
            return Refused(str(error))
        except JimmError as error:  # lost, or never sent
            return Lost(str(error))


async def _prepare(operation: Operation, *, anew: bool) -> MigrationSpec:
    model = await operation.model()
    source = await facts.of_model(operation.fleet, model, operation.source, migrating=False)
    if not isinstance(source.view, Present):
        raise ControllerUnavailable(f"{operation.source.name} does not show the model's users")
    await preparing.prepare(operation)
    target = operation.target
    people = source.users | {source.model.owner}
    username, password = await _login(operation, model, people, anew=anew)
    info = MigrationTargetInfo(
        controller_tag=tags.controller_tag(target.uuid),
        controller_alias=target.name,
        addrs=list(target.addresses) or [target.public_address],
        ca_cert=await _ca_certificate(operation, target),
        auth_tag=tags.user_tag(username),
        password=password.reveal(),
    )
    return MigrationSpec(model_tag=tags.model_tag(model.uuid), target_info=info)


async def _login(
    operation: Operation, model: Model, there: Collection[str], *, anew: bool
) -> tuple[str, Secret]:
    """What the source is to log in with; ``there`` are the model's users on it."""
    fleet, target = operation.fleet, operation.target
    if target.is_outside:
        return await outside.login(fleet, operation.migration)
    await users.make(fleet, model, target, there)
    return target_login.USER, await target_login.lend(fleet, target, anew=anew)


async def _ca_certificate(operation: Operation, target: Controller) -> str:
    """The CA that machines and users will need: a redirect without one stops a juju client.

    A controller registered without one is dialled through a public name; its own CA is asked
    for (Juju ``MigrationTarget.CACert``).
    """
    if target.ca_certificate:
        return target.ca_certificate
    link = operation.fleet.link(target)
    told = await link.call(
        "MigrationTarget", "CACert", None, BytesResult, versions=(4, 5, 6), deadline=deadlines.READ
    )
    try:
        return base64.b64decode(told.result, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise link.unreadable(f"a CA that is no text: {ProtocolError(str(error))}") from error
