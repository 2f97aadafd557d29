"""What a stranger says of itself before it is registered."""

import pytest

from jimm.controllers.probe import Probe, probe
from jimm.errors import ControllerUnavailable, LostAnswer, NotValid, RemoteError
from jimm.net.certificates import Authority
from jimm.wire.params.cloud import Cloud
from jimm.wire.tags import ModelUUID
from tests.unit.controllers.scripted import (
    LOGIN,
    MODEL,
    OTHER,
    UUID,
    Conversation,
    Peer,
    Script,
    login_result,
)

USERS_MODEL = "bbbbbbbb-2222-4333-8444-555555555555"
SERVERS = [
    {"value": "127.0.0.1", "type": "ipv4", "scope": "local-machine", "port": 17070},
    {"value": "10.0.0.1", "type": "ipv4", "scope": "local-cloud", "port": 17070},
]


def stranger(
    models: list[tuple[str, str]], infos: list[object], *, own_cloud: bool = False
) -> Script:
    """A controller with these models (name, uuid) and what ModelInfo says of those asked."""

    async def script(peer: Conversation) -> None:
        await peer.log_in(login_result(OTHER, servers=SERVERS))
        await peer.asked("Controller.ControllerVersion", {"version": "3.6.9", "git-commit": ""})
        metro: dict[str, object] = {"type": "lxd", "is-controller-cloud": own_cloud}
        await peer.asked("Cloud.Clouds", {"clouds": {"cloud-metro": metro}})
        rows = [{"model": {"name": name, "uuid": uuid, "type": "iaas"}} for name, uuid in models]
        await peer.asked("Controller.AllModels", {"user-models": rows}, 11)
        if infos:
            await peer.asked("ModelManager.ModelInfo", {"results": infos})

    return script


def info(uuid: str, *, is_controller: bool, cloud_tag: str = "cloud-metro") -> dict[str, object]:
    return {
        "result": {
            "uuid": uuid,
            "is-controller": is_controller,
            "cloud-tag": cloud_tag,
            "cloud-region": "north",
        }
    }


async def probed(authority: Authority, script: Script) -> Probe:
    async with Peer(authority, script) as peer:
        return await probe([peer.address], authority.certificate_pem, "", LOGIN)


async def test_everything_that_is_told(authority: Authority) -> None:
    models = [("m1", USERS_MODEL), ("controller", MODEL)]
    script = stranger(models, [info(MODEL, is_controller=True)])
    assert await probed(authority, script) == Probe(
        uuid=OTHER,
        agent_version="3.6.9",
        clouds={"metro": Cloud(type="lxd")},
        controller_model_uuid=ModelUUID(MODEL),
        cloud="metro",
        region="north",
        addresses=("10.0.0.1:17070",),
    )


async def test_a_users_model_of_the_name_controller_is_not_taken_for_it(
    authority: Authority,
) -> None:
    found = await probed(
        authority,
        stranger(
            [("controller", USERS_MODEL), ("controller", UUID), ("controller", MODEL)],
            [
                info(USERS_MODEL, is_controller=False),
                {"error": {"message": "gone", "code": "not found"}},
                info(MODEL, is_controller=True),
            ],
        ),
    )
    assert found.controller_model_uuid == MODEL


@pytest.mark.parametrize(("own_cloud", "place"), [(True, ("metro", "")), (False, ("", ""))])
async def test_without_a_controller_model_the_cloud_may_tell(
    authority: Authority, own_cloud: bool, place: tuple[str, str]
) -> None:
    found = await probed(authority, stranger([("m1", USERS_MODEL)], [], own_cloud=own_cloud))
    assert found.controller_model_uuid is None
    assert (found.cloud, found.region) == place


async def test_a_place_that_makes_no_sense_is_a_lost_answer(authority: Authority) -> None:
    nonsense = info(MODEL, is_controller=True, cloud_tag="metro")
    with pytest.raises(LostAnswer, match="cannot read"):
        await probed(authority, stranger([("controller", MODEL)], [nonsense]))


async def test_a_login_without_superuser_is_refused_before_anything_is_asked(
    authority: Authority,
) -> None:
    async def script(peer: Conversation) -> None:
        await peer.log_in(login_result(access="login"))

    with pytest.raises(NotValid, match="not a superuser's") as caught:
        await probed(authority, script)
    assert caught.value.field == "username"


async def test_a_wrong_password_is_the_controllers_refusal(authority: Authority) -> None:
    async def script(peer: Conversation) -> None:
        request = await peer.expect("Admin", "Login")
        await peer.refuse(request, "invalid entity name or password", "unauthorized access")

    with pytest.raises(RemoteError, match="invalid entity name or password"):
        await probed(authority, script)


async def test_what_cannot_be_reached_or_read_is_said(authority: Authority) -> None:
    another = Authority.create("another").certificate_pem
    async with Peer(authority) as peer:
        with pytest.raises(ControllerUnavailable, match="not signed by the registered CA"):
            await probe([peer.address], another, "", LOGIN)
        with pytest.raises(ControllerUnavailable, match="its certificate is for another name"):
            await probe([peer.address], authority.certificate_pem, "api.example.com", LOGIN)
        with pytest.raises(NotValid, match="not a PEM certificate"):
            await probe([peer.address], "nonsense", "", LOGIN)
        with pytest.raises(NotValid, match="use host:port"):
            await probe(["nonsense"], authority.certificate_pem, "", LOGIN)
