"""What JIMM itself could not make right on a target (:mod:`jimm.migration.preparing`). Pure."""

from typing import Final

from jimm.migration.explanations.rule import Reading, Rule

_BACKEND: Final = r"cannot prepare secret backend \"(?P<backend>[^\"]*)\""
_ADD: Final = "juju add-secret-backend {backend} TYPE --import-id ID"

READINGS: Final[tuple[Reading, ...]] = (
    Rule(
        "prepare-user-failed",
        r"cannot prepare user \"(?P<user>[^\"]*)\": (?P<why>.*)",
        "the user {user} could not be made on the target: {why}",
        "make that user there by hand: juju add-user {user}, juju disable-user {user}",
    ),
    Rule(
        "prepare-credential-failed",
        r"cannot prepare credential \"(?P<credential>[^\"]*)\": (?P<why>.*)",
        "the credential {credential} could not be given to the target: {why}",
        "mend what is said there, or give the model another: juju set-credential -m MODEL CLOUD "
        "CREDENTIAL",
    ),
    Rule(
        "prepare-backend-hidden",
        rf"{_BACKEND}: the source does not show its settings",
        "the source does not show the settings of secret backend {backend}, so that it can't be "
        "added to the target",
        f"add it there by hand, with the id of juju show-secret-backend {{backend}}: {_ADD}",
    ),
    Rule(
        "prepare-backend-name-taken",
        rf"{_BACKEND}: the target has another one of that name",
        "the target has another secret backend called {backend}",
        "rename that one there: juju update-secret-backend {backend} name=OTHER",
    ),
    Rule(
        "prepare-backend-failed",
        rf"{_BACKEND}: (?P<why>.*)",
        "the secret backend {backend} could not be added to the target: {why}",
        f"see that the target reaches it, then try again, or add it there by hand: {_ADD}",
    ),
)
