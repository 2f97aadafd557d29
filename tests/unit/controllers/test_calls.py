"""What each call sends, what it makes of the answer, and how rows are judged."""

from collections.abc import Awaitable, Callable

import pytest

from jimm.controllers.calls import (
    client,
    cloud,
    controller,
    migration_target,
    model_config,
    model_manager,
    secret_backends,
    secrets,
    user_manager,
)
from jimm.controllers.dial import dial
from jimm.controllers.link import Link
from jimm.errors import LostAnswer, RemoteError
from jimm.net.certificates import Authority
from jimm.wire.params.cloud import CloudCredential
from jimm.wire.params.common import Error
from jimm.wire.params.controller import (
    MigrationSpec,
    MigrationTargetInfo,
    ModifyControllerAccess,
)
from jimm.wire.params.model_manager import (
    CreateModel,
    DestroyModel,
    ModelInfo,
    ModifyModelAccess,
)
from jimm.wire.secret import Secret
from jimm.wire.tags import CredentialId, ModelUUID
from tests.unit.controllers.scripted import (
    FACADES,
    LOGIN,
    MODEL,
    UUID,
    Conversation,
    Peer,
    login_result,
)

MODEL_ID = ModelUUID(MODEL)
TAG = f"model-{MODEL}"
KEY = CredentialId("metro", "alice@jimm", "my_key")
KEY_TAG = "cloudcred-metro_alice@jimm_my%5fkey"
INFO = {"name": "m1", "uuid": MODEL, "cloud-tag": "cloud-metro", "new-key": 1, "life": "alive"}
STATUS = {"model-tag": TAG, "life": "alive", "unit-count": 3}
SPEC = MigrationSpec(
    model_tag=TAG,
    target_info=MigrationTargetInfo(
        controller_tag=f"controller-{UUID}",
        addrs=["10.0.0.2:17070"],
        ca_cert="PEM",
        auth_tag="user-jimm-migration",
        password="in the clear on this wire",
    ),
)

Call = Callable[[Link], Awaitable[object]]


async def conversation(
    authority: Authority, call: Call, method: str, version: int, answer: object, offered: str = ""
) -> tuple[object, object]:
    """The parameters that a call sends, and what it returns."""
    sent: list[object] = []
    forty = {"Controller": [12, 13, 14], "ModelManager": [10, 11], "MigrationTarget": [4, 5, 6, 7]}

    async def script(peer: Conversation) -> None:
        await peer.log_in(login_result(facades=FACADES | (forty if offered == "4.0" else {})))
        sent.append(await peer.asked(method, answer, version))

    async with Peer(authority, script) as peer:
        link = await dial(peer.endpoint(), LOGIN)
        link.start()
        async with link:
            outcome = await call(link)
    return sent[0], outcome


CONVERSATIONS: dict[str, tuple[Call, int, object, object, object]] = {
    "ModelManager.ListModels": (
        lambda link: model_manager.list_models(link, "alice@jimm"),
        10,
        {"tag": "user-alice@jimm"},
        {"user-models": []},
        [],
    ),
    "ModelManager.DestroyModels": (
        lambda link: model_manager.destroy_model(link, DestroyModel(model_tag=TAG, force=True)),
        10,
        {"models": [{"model-tag": TAG, "force": True}]},
        {"results": [{}]},
        None,
    ),
    "ModelManager.ModifyModelAccess": (
        lambda link: model_manager.modify_model_access(
            link,
            ModifyModelAccess(
                user_tag="user-bob@jimm", action="grant", access="read", model_tag=TAG
            ),
        ),
        10,
        {
            "changes": [
                {
                    "user-tag": "user-bob@jimm",
                    "action": "grant",
                    "access": "read",
                    "model-tag": TAG,
                }
            ]
        },
        {"results": [{"error": None}]},
        None,
    ),
    "Cloud.UserCredentials": (
        lambda link: cloud.user_credentials(link, "alice@jimm", "metro"),
        7,
        {"user-clouds": [{"user-tag": "user-alice@jimm", "cloud-tag": "cloud-metro"}]},
        {"results": [{"result": [KEY_TAG]}]},
        [KEY],
    ),
    "Cloud.Credential": (
        lambda link: cloud.credential(link, KEY),
        7,
        {"entities": [{"tag": KEY_TAG}]},
        {"results": [{"result": {"auth-type": "userpass", "redacted": ["password"]}}]},
        CloudCredential(auth_type="userpass", redacted=["password"]),
    ),
    "Cloud.RevokeCredentialsCheckModels": (
        lambda link: cloud.revoke_credential(link, KEY, force=True),
        7,
        {"credentials": [{"tag": KEY_TAG, "force": True}]},
        {"results": [{}]},
        None,
    ),
    "Controller.ControllerConfig": (
        controller.controller_config,
        12,
        {},
        {"config": {"controller-uuid": UUID}},
        {"controller-uuid": UUID},
    ),
    "Controller.GetControllerAccess": (
        lambda link: controller.get_controller_access(link, "bob"),
        12,
        {"entities": [{"tag": "user-bob"}]},
        {"results": [{"result": {"user-tag": "user-bob", "access": "login"}}]},
        "login",
    ),
    "Controller.ModifyControllerAccess": (
        lambda link: controller.modify_controller_access(
            link, ModifyControllerAccess(user_tag="user-bob", action="grant", access="superuser")
        ),
        12,
        {"changes": [{"user-tag": "user-bob", "action": "grant", "access": "superuser"}]},
        {"results": [{}]},
        None,
    ),
    "Controller.InitiateMigration": (
        lambda link: controller.initiate_migration(link, SPEC, dry_run=True),
        12,
        {
            "specs": [
                {
                    "model-tag": TAG,
                    "target-info": {
                        "controller-tag": f"controller-{UUID}",
                        "addrs": ["10.0.0.2:17070"],
                        "ca-cert": "PEM",
                        "auth-tag": "user-jimm-migration",
                        "password": "in the clear on this wire",
                    },
                }
            ],
            "dry-run": True,
        },
        {"results": [{"model-tag": TAG, "migration-id": f"{MODEL}:0"}]},
        f"{MODEL}:0",
    ),
    "UserManager.AddUser": (
        lambda link: user_manager.add_user(link, "jimm-migration", Secret("opaque")),
        3,
        {"users": [{"username": "jimm-migration", "display-name": "", "password": "opaque"}]},
        {"results": [{"tag": "user-jimm-migration"}]},
        "user-jimm-migration",
    ),
    "UserManager.SetPassword": (
        lambda link: user_manager.set_password(link, "bob", Secret("opaque")),
        3,
        {"changes": [{"tag": "user-bob", "password": "opaque"}]},
        {"results": [{}]},
        None,
    ),
    "UserManager.EnableUser": (
        lambda link: user_manager.enable_user(link, "bob"),
        3,
        {"entities": [{"tag": "user-bob"}]},
        {"results": [{}]},
        None,
    ),
    "UserManager.DisableUser": (
        lambda link: user_manager.disable_user(link, "bob"),
        3,
        {"entities": [{"tag": "user-bob"}]},
        {"results": [{}]},
        None,
    ),
    "UserManager.UserInfo": (
        lambda link: user_manager.known_users(link, ["bob", "carol"]),
        3,
        {
            "entities": [{"tag": "user-bob"}, {"tag": "user-carol"}],
            "include-disabled": True,
        },
        {"results": [{"result": {}}, {"error": {"message": "gone", "code": ""}}]},
        frozenset({"bob"}),
    ),
    "Controller.IdentityProviderURL": (
        controller.identity_provider_url,
        12,
        {},
        {"result": "https://who"},
        "https://who",
    ),
    "Secrets.ListSecrets": (
        secrets.backends_in_use,
        2,
        {"filter": {}},
        {"results": [{"revisions": [{"backend-name": "vault"}, {}]}, {"revisions": None}]},
        frozenset({"vault"}),
    ),
    "SecretBackends.ListSecretBackends": (
        secret_backends.secret_backends,
        1,
        {},
        {"results": []},
        [],
    ),
    "ModelConfig.ModelGet": (model_config.model_get, 3, {}, {"config": {}}, {}),
    "MigrationTarget.Abort": (
        lambda link: migration_target.abort(link, MODEL_ID),
        6,
        {"model-tag": TAG},
        {},
        None,
    ),
    "Client.FullStatus": (
        client.full_status,
        8,
        {"patterns": []},
        {"model": {"name": "m1"}, "unknown": [1]},
        {"model": {"name": "m1"}, "unknown": [1]},
    ),
}


@pytest.mark.parametrize("method", CONVERSATIONS)
async def test_a_call_and_its_answer(authority: Authority, method: str) -> None:
    call, version, params, answer, outcome = CONVERSATIONS[method]
    assert await conversation(authority, call, method, version, answer) == (params, outcome)


@pytest.mark.parametrize("method", ["MigrationTarget.Abort", "Controller.ControllerConfig"])
async def test_the_same_versions_are_called_on_4_0(authority: Authority, method: str) -> None:
    call, version, params, answer, outcome = CONVERSATIONS[method]
    said = await conversation(authority, call, method, version, answer, offered="4.0")
    assert said == (params, outcome)


BULK: dict[str, Call] = {
    "ModelManager.ModelInfo": lambda link: model_manager.model_info(link, MODEL_ID),
    "ModelManager.DestroyModels": CONVERSATIONS["ModelManager.DestroyModels"][0],
    "ModelManager.ModifyModelAccess": CONVERSATIONS["ModelManager.ModifyModelAccess"][0],
    "Cloud.Cloud": lambda link: cloud.cloud(link, "metro"),
    "Cloud.UserCredentials": CONVERSATIONS["Cloud.UserCredentials"][0],
    "Cloud.Credential": CONVERSATIONS["Cloud.Credential"][0],
    "Cloud.CredentialContents": lambda link: cloud.credential_contents(link, "metro", "key"),
    "Cloud.UpdateCredentialsCheckModels": lambda link: cloud.update_credential(
        link, KEY, CloudCredential(auth_type="empty")
    ),
    "Controller.GetControllerAccess": CONVERSATIONS["Controller.GetControllerAccess"][0],
    "Controller.InitiateMigration": CONVERSATIONS["Controller.InitiateMigration"][0],
    "UserManager.AddUser": CONVERSATIONS["UserManager.AddUser"][0],
    "UserManager.UserInfo": lambda link: user_manager.user_info(link, "bob"),
}


@pytest.mark.parametrize("method", BULK)
async def test_an_error_row_is_the_controllers_error(authority: Authority, method: str) -> None:
    async def script(peer: Conversation) -> None:
        await peer.log_in()
        row = {"error": {"message": "model not there", "code": "not found", "info": {"a": 1}}}
        await peer.asked(method, {"results": [row]})

    async with Peer(authority, script) as peer:
        link = await dial(peer.endpoint(), LOGIN)
        link.start()
        async with link:
            with pytest.raises(RemoteError, match="model not there") as caught:
                await BULK[method](link)
    assert (caught.value.juju_code, caught.value.info) == ("not found", {"a": 1})


@pytest.mark.parametrize("rows", [[], [{}, {}]], ids=["none", "two"])
@pytest.mark.parametrize("method", BULK)
async def test_a_wrong_number_of_rows_is_a_lost_answer(
    authority: Authority, method: str, rows: list[object]
) -> None:
    async def script(peer: Conversation) -> None:
        await peer.log_in()
        await peer.asked(method, {"results": rows})

    async with Peer(authority, script) as peer:
        link = await dial(peer.endpoint(), LOGIN)
        link.start()
        async with link:
            with pytest.raises(LostAnswer, match=r"expected 1 result\(s\), got"):
                await BULK[method](link)


async def test_a_model_is_created_with_the_owner_in_full(authority: Authority) -> None:
    model = CreateModel(
        name="m1", owner_tag="user-alice@jimm", config={}, cloud_tag="cloud-metro", region="north"
    )
    sent, made = await conversation(
        authority,
        lambda link: model_manager.create_model(link, model),
        "ModelManager.CreateModel",
        10,
        INFO,
        offered="4.0",
    )
    assert sent == {
        "name": "m1",
        "owner-tag": "user-alice@jimm",
        "config": {},
        "cloud-tag": "cloud-metro",
        "region": "north",
    }
    assert isinstance(made, ModelInfo)
    assert (made.uuid, made.cloud_tag) == (MODEL, "cloud-metro")


async def test_unknown_keys_survive_where_they_are_passed_on(authority: Authority) -> None:
    model = CreateModel(name="m1", owner_tag="user-alice@jimm", config={})
    for call, method, answer in (
        (
            lambda link: model_manager.create_model_plain(link, model),
            "ModelManager.CreateModel",
            INFO,
        ),
        (
            lambda link: model_manager.model_info_plain(link, MODEL_ID),
            "ModelManager.ModelInfo",
            {"results": [{"result": INFO}]},
        ),
    ):
        assert (await conversation(authority, call, method, 10, answer))[1] == INFO


async def test_a_plain_row_with_an_error_is_the_controllers_error(authority: Authority) -> None:
    row = {"error": {"message": "gone", "code": "redirection required", "info": {"ca-cert": "x"}}}
    with pytest.raises(RemoteError, match="gone") as caught:
        await conversation(
            authority,
            lambda link: model_manager.model_info_plain(link, MODEL_ID),
            "ModelManager.ModelInfo",
            10,
            {"results": [row]},
        )
    assert caught.value.info == {"ca-cert": "x"}


async def test_summaries_of_all_models_keep_good_rows_and_bad_ones_apart(
    authority: Authority,
) -> None:
    sent, found = await conversation(
        authority,
        model_manager.list_model_summaries,
        "ModelManager.ListModelSummaries",
        10,
        {"results": [{"result": INFO}, {"error": {"message": "bad", "code": ""}}]},
    )
    assert sent == {"user-tag": "user-admin", "all": True}
    assert found == model_manager.Summaries([INFO], [Error(message="bad", code="")])


async def test_several_models_are_destroyed_each_with_its_outcome(authority: Authority) -> None:
    _, outcome = await conversation(
        authority,
        lambda link: model_manager.destroy_models(link, [DestroyModel(model_tag=TAG)] * 2),
        "ModelManager.DestroyModels",
        10,
        {"results": [{}, {"error": {"message": "no", "code": "not found"}}]},
    )
    assert outcome == [None, Error(message="no", code="not found")]


@pytest.mark.parametrize(
    ("status", "method", "version"),
    [
        (model_manager.model_status, "ModelManager.ModelStatus", 10),
        (controller.model_status, "Controller.ModelStatus", 12),
    ],
)
async def test_the_status_of_a_model(
    authority: Authority, status: Callable[..., Awaitable[object]], method: str, version: int
) -> None:
    sent, found = await conversation(
        authority, lambda link: status(link, MODEL_ID), method, version, {"models": [STATUS]}
    )
    assert sent == {"entities": [{"tag": TAG}]}
    assert getattr(found, "unit_count", None) == 3


@pytest.mark.parametrize(
    ("offered", "version", "owner"),
    [
        ("3.6", 11, {"owner-tag": "user-alice@jimm"}),
        ("4.0", 14, {"qualifier": "alice@jimm"}),
    ],
)
async def test_all_models_never_asks_version_12_and_always_tells_the_owner_tag(
    authority: Authority, offered: str, version: int, owner: dict[str, str]
) -> None:
    row = {"model": {"name": "m1", "uuid": MODEL, "type": "iaas", **owner}}
    _, found = await conversation(
        authority,
        controller.all_models,
        "Controller.AllModels",
        version,
        {"user-models": [row]},
        offered=offered,
    )
    assert isinstance(found, list)
    assert [each.model.owner_tag for each in found] == ["user-alice@jimm"]


async def test_clouds_go_by_name(authority: Authority) -> None:
    _, found = await conversation(
        authority,
        cloud.clouds,
        "Cloud.Clouds",
        7,
        {"clouds": {"cloud-metro": {"type": "lxd", "regions": [{"name": "north"}]}}},
    )
    assert isinstance(found, dict)
    assert list(found) == ["metro"]


@pytest.mark.parametrize(
    ("call", "method", "answer"),
    [
        (cloud.clouds, "Cloud.Clouds", {"clouds": {"metro": {"type": "lxd"}}}),
        (
            CONVERSATIONS["Cloud.UserCredentials"][0],
            "Cloud.UserCredentials",
            {"results": [{"result": ["cloudcred-metro"]}]},
        ),
        (lambda link: cloud.cloud(link, "metro"), "Cloud.Cloud", {"results": [{}]}),
    ],
    ids=["cloud tag", "credential tag", "no content"],
)
async def test_what_makes_no_sense_is_a_lost_answer(
    authority: Authority, call: Call, method: str, answer: object
) -> None:
    with pytest.raises(LostAnswer, match="cannot read"):
        await conversation(authority, call, method, 7, answer)


async def test_a_credential_that_would_break_models_names_them(authority: Authority) -> None:
    problem = {"message": "no such network", "code": ""}
    row = {
        "tag": KEY_TAG,
        "error": {"message": "some models are no longer visible", "code": ""},
        "models": [{"uuid": MODEL, "name": "m1", "errors": [{"error": problem}]}],
    }
    sent, found = await conversation(
        authority,
        lambda link: cloud.update_credential(
            link, KEY, CloudCredential(auth_type="userpass", attrs={"password": "opaque"})
        ),
        "Cloud.UpdateCredentialsCheckModels",
        7,
        {"results": [row]},
    )
    content = {"auth-type": "userpass", "attrs": {"password": "opaque"}}
    assert sent == {"credentials": [{"tag": KEY_TAG, "credential": content}]}
    assert [model.name for model in getattr(found, "models", [])] == ["m1"]
