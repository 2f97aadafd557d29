"""A source's own dry run: it reaches for the target, logs in there and asks both sides.

The one thing that JIMM can't ask by itself is whether the *source* gets to the target. It is
asked only of sources known to have dry runs: an older one takes no notice of the word, and starts
(Juju 3.6.13 ``Controller.InitiateMigration``).

The source is lent the login that migrations have. It is given back at once, unless a migration
needs it; if JIMM dies in between, :func:`~jimm.migration.target_login.sweep` takes it back.
"""

from collections.abc import Collection, Sequence
from typing import Final

from jimm.controllers.calls import controller as controller_calls
from jimm.errors import ControllerUnavailable, JimmError, LostAnswer, RemoteError, WrongController
from jimm.fleet.fleet import Fleet
from jimm.migration import target_login
from jimm.migration.explanations import explain
from jimm.migration.facts import SourceFacts, TargetFacts
from jimm.migration.prechecks import Finding, refusing
from jimm.migration.prechecks.versions import knows_dry_run, major
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import Present
from jimm.registry.controllers import Controller
from jimm.wire import tags
from jimm.wire.params.controller import MigrationSpec, MigrationTargetInfo
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID

WITHIN: Final = 100.0
"""Seconds: a source tries for a minute to reach its target."""

_CONNECTING: Final = "connect to target controller: "
_LOGIN_REFUSED: Final = f"{_CONNECTING}invalid entity name or password"
_POINTLESS: Final = frozenset({"controller-model", "model-dying", "target-blocked"})
"""What it would only repeat, or never get to."""


def is_possible(here: SourceFacts, there: TargetFacts, findings: Collection[Finding]) -> bool:
    """Whether the source can be asked, and would tell anything new. A half import that JIMM is
    to clear away would be held against the target."""
    codes = {each.code for each in findings}
    return (
        isinstance(here.view, Present)
        and not here.model.migrating
        and there.controller.has is not None
        and there.controller.name != here.controller.name
        and not there.leftover
        and not codes & _POINTLESS
        and knows_dry_run(here.controller.agent_version)
    )


async def rehearse(
    fleet: Fleet,
    source: Controller,
    target: Controller,
    here: SourceFacts,
    findings: Sequence[Finding],
    *,
    login: tuple[str, Secret] | None = None,
) -> list[Finding]:
    """What the source says besides what was found; the model's users are not asked about, for
    JIMM has done so, and makes its own when it begins. ``login`` is a user and a password on a
    target where none can be lent: one outside the fleet."""
    try:
        text = await _ask(fleet, source, target, here.model.uuid, login)
    except JimmError as error:
        return [_failed(source, target, error)]
    finally:
        if login is None:
            await target_login.give_back(fleet, target)
    return [*_refusal(text, source, findings), *_limits(here)]


async def _ask(
    fleet: Fleet,
    source: Controller,
    target: Controller,
    model: str,
    login: tuple[str, Secret] | None,
) -> str:
    """Its refusal, empty if there was none.

    Raises:
        _NoLogin: the target takes no login from JIMM.
        JimmError: a controller is away.
    """
    text = ""
    for _ in range(2):  # another dry run, just over, may have taken the login back
        user, password = login or (target_login.USER, await _lent(fleet, target))
        spec = _spec(target, model, user, password)
        try:
            await controller_calls.initiate_migration(
                fleet.link(source), spec, dry_run=True, deadline=WITHIN
            )
        except RemoteError as error:
            text = str(error)
        else:
            return ""
        if not text.startswith(_LOGIN_REFUSED):
            return text
    return text


class _NoLogin(JimmError):
    """The target refuses to have the login made."""


async def _lent(fleet: Fleet, target: Controller) -> Secret:
    try:
        return await target_login.lend(fleet, target)
    except RemoteError as error:
        raise _NoLogin(str(error)) from error


def _spec(target: Controller, model: str, user: str, password: Secret) -> MigrationSpec:
    info = MigrationTargetInfo(
        controller_tag=tags.controller_tag(ControllerUUID(target.uuid)),
        controller_alias=target.name,
        addrs=list(target.addresses) or [target.public_address],
        ca_cert=target.ca_certificate,  # without one the source asks the target for it
        auth_tag=tags.user_tag(user),
        password=password.reveal(),
        skip_user_checks=True,
    )
    return MigrationSpec(model_tag=tags.model_tag(model), target_info=info)


def _refusal(text: str, source: Controller, findings: Sequence[Finding]) -> list[Finding]:
    if not text:
        return []
    if text.startswith(_LOGIN_REFUSED):
        return [_unknown(source, "the login was taken back meanwhile")]
    told = explain(text)
    others = {each.code for each in findings}
    # Juju stops at the first thing that it finds, and JIMM has told all that it knows of.
    is_known = bool(refusing(findings, prepare=True)) and not text.startswith(_CONNECTING)
    if told.code in others or is_known:
        return []
    return [Finding(told.code, f"{source.name} says: {told.sentence}", told.remedy)]


def _failed(source: Controller, target: Controller, error: JimmError) -> Finding:
    why = redact_reason(str(error))
    if isinstance(error, _NoLogin):
        return Finding(
            "target-refused",
            f"{target.name} does not let JIMM make the login that the source needs: {why}",
            f"see that JIMM's own login on {target.name} is a superuser's, then try again",
        )
    away = isinstance(error, ControllerUnavailable | LostAnswer | WrongController)
    return _unknown(source, why if away else f"it has none: {why}")


def _unknown(source: Controller, why: str) -> Finding:
    return Finding(
        "not-checked",
        f"{source.name} did not get through its own dry run: {why}",
        "go on; if it fails, its reason says what to mend",
        advice=True,
    )


def _limits(here: SourceFacts) -> list[Finding]:
    """Juju 4 asks the target's own checks only once the migration has begun."""
    if major(here.controller.agent_version) < 4:
        return []
    return [
        Finding(
            "dry-run-partial",
            f"{here.controller.name} runs Juju {here.controller.agent_version}, whose dry run "
            "reaches for the target and does not ask whether it would take the model",
            "go on; what the target has against it is told soon after the beginning",
            advice=True,
        )
    ]
