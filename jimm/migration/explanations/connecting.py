"""Why a source can't get to its target, or in there, and whom it misses there. Pure."""

from typing import Final

from jimm.migration.explanations.rule import Place, Reading, Rule

PERMISSION_DENIED: Final = Rule(
    "target-permission-denied",
    r"(?:.*: )?permission denied|unauthorized access|access permissions required: .*"
    r"|authorization failed: .*|client does not have permission for migration target facade.*",
    "the login that JIMM lent to the source is no superuser of the target",
    "try again, which makes it one anew; if that does not help, on the target: "
    "juju grant jimm-migration superuser",
)

LOGIN_REFUSED: Final = Rule(
    "target-login-refused",
    r"(?:.*: )?invalid entity name or password.*|authentication failed: .*",
    "the target does not accept the login that JIMM lent to the source",
    "try again, which makes the login anew; if that does not help, on the target: "
    "juju enable-user jimm-migration",
)

_DIAL: Final[tuple[Reading, ...]] = (
    Rule(
        "target-certificate",
        r".*(?:x509|tls: failed to verify certificate): (?P<why>.*)",
        "the source does not trust the target's certificate: {why}",
        "register the target with the CA that it has now (jimmctl remove-controller TARGET "
        "--force, then jimmctl add-controller); an address by name must stand in the certificate",
    ),
    Rule(
        "target-name-unknown",
        r".*lookup (?P<host>[\w.-]+).*: no such host.*",
        "the source can't find the target's address: its network knows no {host}",
        "let the source's machines resolve {host}, or register the target by addresses: "
        "jimmctl show-controller TARGET",
    ),
    Rule(
        "target-unreachable",
        r".*(?:connection refused|i/o timeout|no route to host|network is unreachable"
        r"|connection dial timed out|dial timeout|deadline exceeded|Connect call failed"
        r"|[Cc]onnection reset|can't be reached|timed out).*",
        "the source can't reach the target at the addresses that JIMM gave it",
        "open the way from the source's machines to the target's API "
        "(jimmctl show-controller TARGET has the addresses), then try again",
    ),
    LOGIN_REFUSED,
    Rule(
        "target-login-kind",
        r".*failed to authenticate request: unauthorized.*",
        "the target does not take the kind of login that the source has",
        "try again; if it stays so, register the target with a local administrator's password: "
        "jimmctl add-controller",
    ),
    Rule(
        "target-token-refused",
        r".*parsing login access token: .*",
        "the target refuses the token that the source has",
        "see that the clocks of JIMM and of the target agree, then try again",
    ),
    PERMISSION_DENIED,
    Rule(
        "target-controller-upgrading",
        r".*upgrade in progress.*",
        "the target controller is being upgraded",
        "wait until that is over, then try again",
    ),
    Rule(
        "target-below-4-1",
        r"target controller is too old to support password-authenticated migration; .*",
        "the target is too old for a model of a Juju 4 controller",
        "upgrade the target to Juju 4.1 or later, or choose one that is",
    ),
    Rule(
        "target-macaroon-refused",
        r"cannot obtain migration macaroon from target: (?P<why>.*)",
        "the target gave the source no login for the migration: {why}",
        "try again; if it stays so, on the target: juju grant jimm-migration superuser",
    ),
    Rule(
        "target-connection-failed",
        r"(?:unable to connect to API: )?(?P<why>.*)",
        "the source can't work with the target's API: {why}",
        "see that the target answers (jimmctl show-controller TARGET), then try again",
    ),
)

_ADD: Final = (
    "add them on the target as disabled users (jimmctl migrate TARGET MODEL --prepare, or there "
    "juju add-user NAME), or take them off the model: juju revoke NAME read MODEL"
)
_REMOVE: Final = "take them off the model: juju revoke NAME read MODEL"

_USERS: Final = (
    Rule(
        "users-missing",
        r"cannot initiate migration as the users granted access to the model do not exist\s"
        r".*from the current model:(?P<users>.*)",
        "users of the model do not exist on the target: {users}",
        _ADD,
    ),
    Rule(
        "users-external-and-missing",
        r"cannot initiate migration as external users have been granted access to the model\s"
        r".*users from the current model:(?P<external>.*?)\s+and add the following users"
        r".*the current model:(?P<users>.*)",
        "the controllers have different identity providers, so these users can't go along: "
        "{external}; and these do not exist on the target: {users}",
        f"the first: {_REMOVE}, or give both controllers the same identity-url; the others: {_ADD}",
    ),
    Rule(
        "users-external",
        r"cannot initiate migration as external users have been granted access to the model\s"
        r".*users from the current model:(?P<external>.*)",
        "the controllers have different identity providers, so these users can't go along: "
        "{external}",
        f"{_REMOVE}, or give both controllers the same identity-url",
    ),
)

READINGS: Final[tuple[Reading, ...]] = (
    Place(
        r"(?:connect to target controller"
        r"|failed to connect to target controller during prechecks"
        r"|model data transfer failed, failed to connect to target controller):\s*",
        _DIAL,
    ),
    *_USERS,
    Rule(
        "target-too-old",
        "controller API version is too old",
        "the target is too old to take models in",
        "upgrade the target, or choose a newer one: jimmctl list-migration-targets MODEL",
    ),
    Rule(
        "target-ca-unknown",
        r"cannot retrieve CA certificate: (?P<why>.*)",
        "the source could not learn the target's CA: {why}",
        "register the target with its CA: jimmctl remove-controller TARGET --force, then "
        "jimmctl add-controller with ca-certificate",
    ),
    Rule(
        "wrong-target",
        r"unexpected target controller UUID "
        r"\(got (?P<got>[\w-]+), expected (?P<expected>[\w-]+)\)",
        "another controller answers at the target's addresses: {got}, not {expected}",
        "see jimmctl show-controller TARGET, and register the target anew with its own addresses",
    ),
)
