"""Why an import fails: what Juju finds on the target in no earlier check. Pure."""

from typing import Final

from jimm.migration.explanations.connecting import LOGIN_REFUSED, PERMISSION_DENIED
from jimm.migration.explanations.rule import Place, Reading, Rule
from jimm.migration.explanations.target import CLOUD_MISSING, DESCRIPTION_TOO_NEW, NAME_TAKEN

_STEPS: Final = (
    "sequences|base model aspects|model constraints|sshHostKeys|cloudimagemetadata|actions"
    "|operations|modelUsers|spaces|subnets|machines|applications|remoteapplications"
    "|firewallrules|relations|remoteentitites|externalcontrollers|relationnetworks"
    "|linklayerdevices|ipAddresses|storage|secret backend|secrets|remote secrets"
    "|virtual host keys"
)
"""What Juju takes in one after the other (3.6 ``state/migration_import.go``, ``Import``)."""

_STEP: Final = r"(?:(?:[\w ]+): )?"
_SAME: Final = (
    "give both controllers the same: juju update-credential CLOUD CREDENTIAL --controller TARGET, "
    "or give the model another: juju set-credential -m MODEL CLOUD CREDENTIAL"
)
_BACKEND: Final = (
    "add it on the target under the same id: jimmctl migrate TARGET MODEL --prepare, or there "
    "juju add-secret-backend --import-id ID NAME TYPE; or move the secrets into the controller "
    "first: juju model-config -m MODEL secret-backend=internal"
)

_CREDENTIALS: Final[tuple[Reading, ...]] = (
    Rule(
        "credential-differs",
        r"credential attribute mismatch:.*",
        "the target has another credential of the same name and owner, with other values",
        _SAME,
    ),
    Rule(
        "credential-type-differs",
        r"credential auth type mismatch: \"(?P<there>[\w-]*)\" != \"(?P<here>[\w-]*)\"",
        "the credential is of type {here}, the one of the same name on the target of type {there}",
        _SAME,
    ),
    Rule(
        "credential-revoked",
        r"credential \"(?P<credential>[^\"]*)\" is revoked",
        "the target holds the credential {credential} for revoked",
        "upload it there anew: juju update-credential CLOUD CREDENTIAL --controller TARGET",
    ),
    Rule(
        "credential-missing",
        r"(?:cloud )?credential \"(?P<credential>[^\"]*)\" not found",
        "the target does not have the credential {credential}",
        "upload it there (jimmctl migrate TARGET MODEL --prepare, or juju update-credential "
        "CLOUD CREDENTIAL --controller TARGET)",
    ),
    Rule(
        "credential-name-invalid",
        r"cloud credential ID \"(?P<credential>[^\"]*)\" not valid",
        "the target does not accept the credential's name, {credential}",
        "give the model a credential with a plain name: juju set-credential -m MODEL CLOUD "
        "CREDENTIAL",
    ),
)

_OWNER_MISSING: Final = (
    "add that user on the target: jimmctl migrate TARGET MODEL --prepare, or there juju add-user "
    "{user} and juju disable-user {user}"
)

_IMPORT: Final[tuple[Reading, ...]] = (
    *_CREDENTIALS,
    CLOUD_MISSING,
    Rule(
        "region-missing",
        r"region \"(?P<region>[^\"]*)\" not found \(expected one of \[(?P<known>.*)\]\)",
        "the target does not reach the region {region}, only {known}",
        "choose a target that does: jimmctl list-migration-targets MODEL",
    ),
    Rule(
        "secret-backend-missing",
        rf"{_STEP}cannot load secret backend \"(?P<backend>[^\"]*)\".*",
        "the target does not have the secret backend {backend} that the model uses",
        _BACKEND,
    ),
    Rule(
        "secret-backends-incomplete",
        rf"{_STEP}target controller does not have all required secret backends set up",
        "the target lacks a secret backend that holds some of the model's secrets",
        _BACKEND,
    ),
    Rule(
        "secret-backend-not-exported",
        rf"{_STEP}secret backend config \"(?P<backend>[^\"]*)\" in model export not found",
        "the source is too old to say which secret backend {backend} is",
        "upgrade the source, or: juju model-config -m MODEL secret-backend=internal",
    ),
    Rule(
        "import-repeated",
        r"(?:.*: )?model (?P<uuid>[0-9a-f-]{36}) already exists"
        r"|target controller already has an import for this model",
        "the target already held an import of this model: the source was restarted in the middle, "
        "or an earlier attempt left it",
        "try again: JIMM removes what was left",
    ),
    Rule(
        "name-taken",
        r"model \"(?P<name>[^\"]*)\" for (?P<owner>\S+) already exists",
        "the target already has a model {name} of {owner}",
        NAME_TAKEN,
    ),
    Rule(
        "owner-missing",
        r"granting admin permission to the owner: user \"(?P<user>[^\"]*)\" not found"
        r"|importing model \S+ with uuid \S+, user not found for name \"(?P<other>[^\"]*)\"",
        "the model's owner does not exist on the target: {user}{other}",
        _OWNER_MISSING.replace("{user}", "{user}{other}"),
    ),
    DESCRIPTION_TOO_NEW,
    PERMISSION_DENIED,
    LOGIN_REFUSED,
    Rule(
        "import-{step}",
        rf"(?P<step>{_STEPS}): (?P<why>.*)",
        "the target could not take in the model's {step}: {why}",
        "mend what is said there, then try again; the target's log has more "
        "(juju debug-log -m controller)",
    ),
    Rule(
        "import-failed",
        r"(?P<why>.*)",
        "the target could not take the model in: {why}",
        "mend what is said there on the target, then try again; its log has more "
        "(juju debug-log -m controller)",
    ),
)

READINGS: Final[tuple[Reading, ...]] = (
    Place(
        r"model data transfer failed, failed to import model into target controller:\s*", _IMPORT
    ),
    Place(
        r"model data transfer failed,\s*",
        (
            *_IMPORT[:-1],
            Rule(
                "transfer-failed",
                r"(?P<why>.*)",
                "the model could not be carried over to the target: {why}",
                "mend what is said there, then try again",
            ),
        ),
    ),
    *(each for each in _IMPORT[:-2] if each not in (PERMISSION_DENIED, LOGIN_REFUSED)),
)
"""Also of a reason that says nothing of the phase."""
