"""What Juju says when it refuses a migration or gives it up, each with JIMM's code for it.

Texts of Juju 3.6 and 4.0, word for word, with names filled in. ``OWNER`` and the like are filled
in where a text must fit what the simulator has.
"""

from dataclasses import dataclass
from typing import Final

U: Final = "b2f4a6c8-0d1e-4f3a-8b5c-7d9e0f1a2b3c"
"""A model."""

SECRET: Final = "qqqSECRETqqq"
"""Whatever a credential holds: no text that people see may have it."""

ABORTED: Final = "aborted, removing model from target controller: "


@dataclass(frozen=True, slots=True)
class Said:
    """A text of Juju's, the code it stands for, and words that its explanation must have."""

    code: str
    text: str
    names: tuple[str, ...] = ()


def _said(code: str, text: str, *names: str) -> Said:
    return Said(code, text, names)


_MACHINES = (
    ("machine-dying", "machine 0 is dying"),
    ("machine-not-running", "machine 0 not running (pending)"),
    ("machine-agent-down", "machine 0 agent not functioning at this time (down)"),
    ("machine-rebooting", "machine 0 is scheduled to reboot"),
    ("machine-version", "machine 0 agent binaries don't match model (3.6.1 != 3.6.2)"),
)
_ISSUES = 'cannot migrate to controller due to issues:\n"alice/m1":\n- '
_EXTERNAL = (
    "cannot initiate migration as external users have been granted access to the model\n"
    "and the two controllers have different identity provider configurations. To resolve\n"
)
_FACADES = (
    "Source controller does not support required facades for performing migration.\n"
    "Upgrade the controller to a newer version of 3.6{patch} or migrate to a controller\n"
    "with an earlier version of the target controller and try again.\n\n"
)

REQUEST: Final = (
    _said("model-tag-invalid", 'model tag: "x" is not a valid tag'),
    _said("model-tag-invalid", 'model tag: "user-x" is not a valid model tag'),
    _said("model-missing", "model not found"),
    _said("model-missing", f'model "{U}" not found'),
    _said("target-tag-invalid", 'controller tag: "x" is not a valid tag'),
    _said("target-user-invalid", 'auth tag: "x" is not a valid tag'),
    _said("target-user-invalid", 'user "x y" is not valid'),
    _said("macaroons-invalid", f"invalid macaroons: invalid character {SECRET}"),
    _said("source-permission-denied", "permission denied"),
    _said(
        "source-permission-denied", f"access permissions required: map[controller-{U}:superuser]"
    ),
)

SOURCE: Final = tuple(
    _said(code, f"source prechecks failed: {text}", *names)
    for code, text, *names in (
        ("model-dying", "model is dying", "dying"),
        ("model-dying", "model is dead", "dead"),
        ("model-importing", "model is being imported as part of another migration"),
        ("credential-invalid", "model has revoked credentials"),
        ("upgrade-series-lock", f"{_ISSUES}unexpected upgrade series lock found"),
        (
            "windows-machines",
            f"{_ISSUES}the model hosts deprecated windows machine(s): win7(1)",
            "win7(1)",
        ),
        (
            "ubuntu-too-old",
            f"{_ISSUES}the model hosts deprecated ubuntu machine(s): xenial(2)",
            "xenial(2)",
        ),
        (
            "lxd-version",
            f"{_ISSUES}LXD version has to be at least 5.0.0, but current version is only 4.0",
            "4.0",
        ),
        (
            "charm-store-charms",
            f"{_ISSUES}the model hosts deprecated charm store charms(s): cs:mysql-1, cs:web-2",
            "cs:mysql-1, cs:web-2",
        ),
        (
            "windows-machines",
            (
                f"{_ISSUES}the model hosts deprecated windows machine(s): win7(1)\n"
                "- the model hosts deprecated ubuntu machine(s): xenial(2)"
            ),
            "win7(1)",
            "xenial(2)",
        ),
        ("upgrade-blocked", f"{_ISSUES}something that nobody foresaw", "nobody foresaw"),
        *((code, text, "machine 0") for code, text in _MACHINES),
        ("application-dying", "application a is dying", "application a"),
        ("application-scaling", "application a has an ongoing scale operation", "application a"),
        (
            "application-below-minimum",
            "application a is below its minimum units threshold",
            "application a",
        ),
        ("application-without-charm", "application charm url is nil"),
        ("unit-dying", "unit a/0 is dying", "a/0"),
        ("unit-not-idle", "unit a/0 not idle or executing (failed)", "a/0", "failed"),
        (
            "unit-version",
            "unit a/0 agent binaries don't match model (3.6.1 != 3.6.2)",
            "a/0",
            "3.6.1",
            "3.6.2",
        ),
        ("unit-upgrading", "unit a/0 is upgrading", "a/0"),
        (
            "unit-not-joined",
            'unit a/0 hasn\'t joined relation "a:x b:y" yet',
            "a/0",
            "a:x b:y",
        ),
        ("cleanup-needed", "cleanup needed"),
        ("source-controller-dying", "controller: model is dying"),
        ("source-controller-upgrading", "controller: upgrade in progress"),
        *((f"source-controller-{code}", f"controller: {text}") for code, text in _MACHINES),
        ("source-check-failed", "retrieving model version: no reachable servers", "no reachable"),
        # 4.0
        (
            "machine-version",
            (
                "there exists machines in the model that are not running the target agent version "
                "of the model [0 1/lxd/0]"
            ),
            "0 1/lxd/0",
        ),
        (
            "machine-agent-down",
            (
                "pre-checking machine statuses for migration: model machines(s) are not ready for "
                'migration:\n- machine "0" status is not started'
            ),
            "machine 0",
        ),
        (
            "machine-not-running",
            (
                'model machines(s) are not ready for migration:\n- machine "3" instance status is '
                'not running\n- machine "4" status is not started'
            ),
            "machine 3",
            "machine 4",
        ),
        (
            "unit-version",
            (
                "there exists units in the model that are not running the target agent version "
                "of the model [a/0 b/1]"
            ),
            "a/0 b/1",
        ),
        (
            "unit-not-logged-in",
            (
                'model unit(s) are not ready for migration:\n- unit "a/0" is not logged into the '
                "controller"
            ),
            "a/0",
        ),
        (
            "unit-not-idle",
            'model unit(s) are not ready for migration:\n- unit "a/0" agent not idle or executing',
            "a/0",
        ),
        (
            "unit-workload",
            (
                "model unit(s) are not ready for migration:\n"
                '- unit "a/0" workload not active or viable'
            ),
            "a/0",
        ),
    )
)

_CONNECTING = (
    (
        "target-unreachable",
        "unable to connect to API: dial tcp 10.0.0.1:17070: connect: connection refused",
    ),
    ("target-unreachable", "unable to connect to API: dial tcp 10.0.0.1:17070: i/o timeout"),
    ("target-unreachable", "api connection dial timed out"),
    (
        "target-name-unknown",
        "unable to connect to API: dial tcp: lookup north.example on 10.0.0.53:53: no such host",
        "north.example",
    ),
    (
        "target-certificate",
        (
            "unable to connect to API: tls: failed to verify certificate: x509: certificate signed "
            "by unknown authority"
        ),
        "unknown authority",
    ),
    ("target-login-refused", "invalid entity name or password"),
    ("target-login-kind", "failed to authenticate request: unauthorized"),
    ("target-token-refused", 'parsing login access token: "exp" not satisfied'),
    ("target-permission-denied", "permission denied"),
    ("target-connection-failed", "unable to connect to API: websocket: bad handshake"),
)

CONNECT: Final = (
    *(
        _said(code, f"connect to target controller: {text}", *names)
        for code, text, *names in _CONNECTING
    ),
    # 4.0
    _said(
        "target-below-4-1",
        "connect to target controller: target controller is too old to support "
        "password-authenticated migration; upgrade the target to a version that exposes "
        "MigrationTarget v8 or later",
    ),
    _said(
        "target-macaroon-refused",
        "connect to target controller: cannot obtain migration macaroon from target: boom",
    ),
)

USERS: Final = (
    _said(
        "users-missing",
        "cannot initiate migration as the users granted access to the model do not exist\n"
        "on the destination controller. To resolve this issue you can add the following\n"
        "users to the destination controller or remove them from the current model:"
        "\n  - carol\n  - bob",
        "bob, carol",
    ),
    _said(
        "users-external",
        f"{_EXTERNAL}this issue you can remove the following users from the current model:"
        "\n  - e@x",
        "e@x",
    ),
    _said(
        "users-external-and-missing",
        f"{_EXTERNAL}this issue you need to remove the following users from the current model:"
        "\n  - e@x\n  - d@x\n\nand add the following users to the destination controller or "
        "remove them from\nthe current model:\n  - bob",
        "d@x, e@x",
        "bob",
    ),
    _said("target-too-old", "controller API version is too old"),
    _said("target-ca-unknown", "cannot retrieve CA certificate: connection is shut down"),
)

_TARGET = (
    ("source-facades-too-old", _FACADES.format(patch=""), "newer 3.6"),
    (
        "source-facades-too-old",
        _FACADES.format(patch=", that is greater than 3.6.4"),
        "newer 3.6",
    ),
    *(
        ("model-info-incomplete", f"empty {what} not valid", what)
        for what in ("UUID", "Owner", "Name", "Version")
    ),
    ("leaving-target", "model is being migrated out of target controller"),
    (
        "version-model",
        "model has higher version than target controller (3.6.5 > 3.6.4)",
        "3.6.5",
        "3.6.4",
    ),
    (
        "version-source",
        "source controller has higher version than target controller (3.6.5 > 3.5.9)",
        "3.6.5",
        "3.5.9",
    ),
    ("target-version-unknown", "unknown target controller version 7.0.0", "7.0.0"),
    (
        "version-model-too-old",
        (
            "model must be upgraded to at least version 2.9.43 before being migrated to a "
            "controller with version 3.6.4"
        ),
        "2.9.43",
        "3.6.4",
    ),
    ("target-controller-dying", "model is dying"),
    ("target-controller-upgrading", "upgrade in progress"),
    *((f"target-controller-{code}", text, "machine 0") for code, text in _MACHINES),
    ("model-on-target", f"model with same UUID already exists ({U})", U),
    ("name-taken", 'model named "m1" already exists', "m1"),
    ("target-permission-denied", "permission denied"),
    ("target-check-failed", "retrieving models: no reachable servers", "no reachable"),
    # 4.0
    (
        "version-model",
        (
            "migration target prechecks failed: model has higher version than target controller "
            "(4.0.5 > 4.0.4)"
        ),
        "4.0.5",
    ),
    (
        "cloud-missing",
        'migration target prechecks failed: model\'s cloud "x" not found on target controller',
        "cloud x",
    ),
    (
        "fan-networking",
        (
            'migration import prechecks: fan networking not supported, remove fan-config "a=b" '
            "from migrating model config"
        ),
        "fan-config",
    ),
    (
        "fan-networking",
        (
            "migration import prechecks: checking model config for fan config: fan networking not "
            'supported, remove container-networking-method "fan" from migrating model config'
        ),
        "container-networking-method",
    ),
    (
        "charms-without-manifest",
        (
            "migration import prechecks: all charms now require a manifest.yaml file, this model "
            "hosts charm(s) with no manifest.yaml file: a, b"
        ),
        "a, b",
    ),
    (
        "target-below-4-1",
        (
            "target controller does not support the model migration format; upgrade the target "
            "controller to Juju 4.1 or later"
        ),
    ),
    (
        "description-too-new",
        f'cannot deserialize model "{U}" description during prechecks: version 14 not valid',
        "14",
    ),
)

TARGET: Final = tuple(
    _said(code, f"target prechecks failed: {text}", *names) for code, text, *names in _TARGET
)

CREATION: Final = (
    _said("controller-model", "controllers can't be migrated"),
    _said("target-tag-invalid", "ControllerTag not valid"),
    _said("target-address-invalid", '"x" in Addrs not valid', "x"),
    _said("target-login-missing", "missing Password, Macaroons or Token not valid"),
    _said("target-is-source", "model already attached to target controller"),
    _said("model-dying", "failed to create migration: model is not alive"),
    _said("already-migrating", "failed to create migration: already in progress"),
    _said(
        "already-migrating",
        f'model "{U}" already has an active migration: model already has an active migration',
    ),
    _said(
        "source-kept-copy",
        "failed to create migration: state changing too quickly; try again soon",
    ),
    _said("migration-not-created", "failed to create migration: no reachable servers"),
)

INITIATE: Final = (*REQUEST, *SOURCE, *CONNECT, *USERS, *TARGET, *CREATION)
"""What ``Controller.InitiateMigration`` answers, in the order in which Juju asks."""

QUIESCE: Final = (
    _said(
        "source-info-failed",
        "failed to obtain model info during prechecks: no reachable servers",
        "no reachable",
    ),
    _said(
        "source-info-failed",
        "failed to assemble model envelope during prechecks: exporting model: boom",
        "boom",
    ),
    *(
        _said(code, f"failed to connect to target controller during prechecks: {text}", *names)
        for code, text, *names in _CONNECTING
    ),
    _said(
        "wrong-target",
        "unexpected target controller UUID (got controller-one, expected controller-two)",
        "controller-one",
        "controller-two",
    ),
    _said(
        "target-without-cross-model",
        "target controller must be upgraded to 2.9.43 or later\nto be able to migrate models with "
        "cross model relations\nto other models hosted on the source controller\n",
        "2.9.43",
    ),
    _said("agents-failed-quiescing", "quiescing, some agents reported failure"),
    _said("agents-silent-quiescing", "quiescing, timed out waiting for agents to report"),
)

_IMPORTING = (
    (
        "credential-differs",
        (
            f"credential attribute mismatch: map[password:{SECRET} username:a] != "
            f"map[password:x]{SECRET}[ username:b]"
        ),
    ),
    (
        "credential-differs",
        f"credential attribute mismatch: map[key:-----BEGIN KEY-----\n{SECRET}] != map[]",
    ),
    (
        "credential-type-differs",
        'credential auth type mismatch: "userpass" != "oauth2"',
        "userpass",
        "oauth2",
    ),
    ("credential-revoked", 'credential "metro/alice/c1" is revoked', "metro/alice/c1"),
    ("credential-missing", 'credential "metro/alice/c1" not found', "metro/alice/c1"),
    ("credential-name-invalid", 'cloud credential ID "metro/a b/c1" not valid', "a b"),
    ("cloud-missing", 'cloud "x" not found', "cloud x"),
    ("region-missing", 'region "r" not found (expected one of ["a" "b"])', "region r", '"a" "b"'),
    (
        "secret-backend-missing",
        'secret backend: cannot load secret backend "6f": secret backend "6f" not found',
        "6f",
    ),
    (
        "secret-backends-incomplete",
        "secrets: target controller does not have all required secret backends set up",
    ),
    (
        "secret-backend-not-exported",
        'secret backend: secret backend config "myvault" in model export not found',
        "myvault",
    ),
    ("import-repeated", f"model {U} already exists"),
    ("name-taken", 'model "m1" for bob already exists', "m1", "bob"),
    (
        "owner-missing",
        'granting admin permission to the owner: user "bob" not found',
        "target: bob",
        "juju add-user bob",
    ),
    (
        "owner-missing",
        f'importing model "m1" with uuid "{U}", user not found for name "bob"',
        "target: bob",
        "juju add-user bob",
    ),
    ("import-subnets", 'subnets: subnet "10.0.0.0/8" already exists', "10.0.0.0/8"),
    ("import-applications", "applications: a: missing status not valid", "applications"),
    ("import-base-model-aspects", 'base model aspects: unknown block type: "x"', "aspects"),
    ("description-too-new", "deserializing model for import: version 12 not valid", "12"),
    ("target-permission-denied", "permission denied"),
    ("import-failed", "disk full", "disk full"),
)

IMPORT: Final = (
    _said(
        "export-failed",
        "model data transfer failed, model export failed: no reachable servers",
        "no reachable",
    ),
    *(
        _said(
            code,
            f"model data transfer failed, failed to connect to target controller: {text}",
            *names,
        )
        for code, text, *names in _CONNECTING
    ),
    *(
        _said(
            code,
            "model data transfer failed, failed to import model into target controller: " + text,
            *names,
        )
        for code, text, *names in _IMPORTING
    ),
    _said(
        "import-repeated",
        "model data transfer failed, target controller already has an import for this model",
    ),
    *(
        _said(code, f"model data transfer failed, failed to migrate binaries: {text}", *names)
        for code, text, *names in (
            ("charms-upload-failed", "cannot upload charms: disk full", "disk full"),
            (
                "charm-renamed",
                "cannot upload charms: charm ch:a-1 unexpectedly assigned ch:a-2",
                "ch:a-1",
                "ch:a-2",
            ),
            (
                "import-gone",
                'cannot upload charms: model migration mode is "" instead of "importing"',
            ),
            (
                "target-login-refused",
                "cannot upload charms: authentication failed: invalid entity name or password",
            ),
            (
                "target-permission-denied",
                "cannot upload charms: authorization failed: user bob is not a controller admin",
            ),
            (
                "agent-binaries-upload-failed",
                "cannot upload agent binaries: disk full",
                "disk full",
            ),
            ("resources-upload-failed", "cannot upload resources: disk full", "disk full"),
            (
                "binary-corrupt",
                "cannot upload resources: cannot open resource: potentially corrupt binary: boom",
            ),
            ("upload-failed", "boom", "boom"),
        )
    ),
    _said(
        "relations-failed",
        "processing relations failed, processing relations failed: boom",
        "boom",
    ),
)

VALIDATION: Final = (
    _said("agents-failed-validating", "validating, some agents reported failure"),
    _said("agents-silent-validating", "validating, timed out waiting for agents to report"),
    _said("machine-sanity-check", "machine sanity check failed, 1 error found", "1 differ"),
    _said("machine-sanity-check", "machine sanity check failed, 3 errors found", "3 differ"),
    _said("activation-failed", "model activation failed, no reachable servers", "no reachable"),
    _said(
        "import-gone",
        "model activation failed, migration mode for the model is not importing",
    ),
    _said("import-gone", f'model activation failed, model "{U}" not found'),
)

REASONS: Final = (*QUIESCE, *IMPORT, *VALIDATION)
"""Why a migration that had begun was given up; the prechecks' texts are reasons too."""

DEBRIS: Final = (_said("reap-failed", "removing exported model failed: no space", "no space"),)
"""What is wrong though the model has moved."""

OWN: Final = (
    _said("prepare-user-failed", 'cannot prepare user "bob": no', "bob"),
    _said(
        "prepare-credential-failed", 'cannot prepare credential "metro/bob/c": no', "metro/bob/c"
    ),
    _said(
        "prepare-backend-hidden",
        'cannot prepare secret backend "myvault": the source does not show its settings',
        "myvault",
    ),
    _said(
        "prepare-backend-name-taken",
        'cannot prepare secret backend "myvault": the target has another one of that name',
        "myvault",
    ),
    _said("prepare-backend-failed", 'cannot prepare secret backend "myvault": no', "myvault"),
)
"""What JIMM itself could not make right on a target."""
