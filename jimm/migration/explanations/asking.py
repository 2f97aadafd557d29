"""Why a source refuses the request itself, or to write the migration down. Pure."""

from typing import Final

from jimm.migration.explanations.rule import Reading, Rule

_REPORT: Final = "this is a fault of JIMM: report it, with the migration's id"
_ADDRESS: Final = (
    "see jimmctl show-controller TARGET, and register the target anew with its addresses as "
    "HOST:PORT: jimmctl add-controller"
)

READINGS: Final[tuple[Reading, ...]] = (
    Rule(
        "model-tag-invalid",
        r"model tag: .*",
        "the source does not understand which model is meant",
        _REPORT,
    ),
    Rule(
        "target-tag-invalid",
        r"controller tag: .*|ControllerTag not valid",
        "the source does not understand which controller is the target",
        _REPORT,
    ),
    Rule(
        "target-user-invalid",
        r"auth tag: .*|empty AuthTag not valid|user \"[^\"]*\"(?: is)? not valid",
        "the source does not understand the user that it shall log in with at the target",
        _REPORT,
    ),
    Rule(
        "macaroons-invalid",
        r"invalid macaroons: .*",
        "the source does not understand the login for the target",
        _REPORT,
    ),
    Rule(
        "target-login-missing",
        r"missing Password, Macaroons or Token not valid",
        "the source was given no login for the target",
        _REPORT,
    ),
    Rule(
        "target-address-invalid",
        r"\"(?P<address>[^\"]*)\" in Addrs not valid",
        "the target's address {address} is none with a host and a port",
        _ADDRESS,
    ),
    Rule(
        "target-addresses-missing",
        "empty Addrs not valid",
        "JIMM knows no address of the target",
        _ADDRESS,
    ),
    Rule(
        "model-missing",
        r"model not found|model \"[^\"]*\" not found",
        "the source does not have the model",
        "if it was moved by hand: jimmctl update-migrated-model CONTROLLER MODEL",
    ),
    Rule(
        "source-permission-denied",
        r"permission denied|unauthorized access|access permissions required: .*",
        "JIMM is no superuser of the source",
        "make its user there one (juju grant USER superuser on the source; "
        "jimmctl show-controller SOURCE), then try again",
    ),
    Rule(
        "controller-model",
        "controllers can't be migrated",
        "this is a controller's own model",
        "controller models stay where they are",
    ),
    Rule(
        "target-is-source",
        "model already attached to target controller",
        "the model is on that controller already",
        "choose another: jimmctl list-migration-targets MODEL",
    ),
    Rule(
        "model-dying",
        "failed to create migration: model is not alive",
        "the model is being destroyed",
        "let it go, or create it anew on the target",
    ),
    Rule(
        "already-migrating",
        r"failed to create migration: already in progress"
        r"|model \S+ already has an active migration(?:: .*)?"
        r"|model already has an active migration",
        "a migration of this model is under way",
        "wait until it ends: jimmctl migrations",
    ),
    Rule(
        "source-kept-copy",
        r"failed to create migration: state changing too quickly; try again soon",
        "the source holds what an earlier migration left of this model, and won't begin another",
        "if the model runs elsewhere: jimmctl update-migrated-model CONTROLLER MODEL; otherwise "
        "wait a minute and try again",
    ),
    Rule(
        "migration-not-created",
        r"failed to create migration: (?P<why>.*)",
        "the source could not write the migration down: {why}",
        "try again; if it stays so, see the source's log (juju debug-log -m controller)",
    ),
)
