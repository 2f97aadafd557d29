"""What is registered of a controller, and what its login tells of its addresses."""

import pytest

from jimm.controllers.endpoint import Endpoint, usable_servers
from jimm.errors import NotValid
from jimm.wire.params.admin import HostPort, LoginResult
from tests.unit.controllers.scripted import UUID


def _host(value: str, kind: str, scope: str, port: int = 17070) -> HostPort:
    return HostPort(value=value, type=kind, scope=scope, port=port)


def test_addresses_that_only_the_controller_itself_can_dial_are_left_out() -> None:
    login = LoginResult(
        facades=[],
        servers=[
            [
                _host("10.0.0.1", "ipv4", "local-cloud"),
                _host("127.0.0.1", "ipv4", "local-machine"),
                _host("fe80::1", "ipv6", "link-local"),
                _host("2001:db8::1", "ipv6", "public"),
            ],
            [_host("10.0.0.1", "ipv4", "local-cloud"), _host("api.example.com", "hostname", "")],
            [_host("", "hostname", "public"), _host("10.0.0.2", "ipv4", "public", port=0)],
        ],
    )
    assert usable_servers(login) == (
        "10.0.0.1:17070",
        "[2001:db8::1]:17070",
        "api.example.com:17070",
    )


def test_a_login_without_servers_has_no_usable_one() -> None:
    assert usable_servers(LoginResult(facades=[])) == ()


def test_the_certificate_must_carry_jujus_name_unless_another_was_registered() -> None:
    endpoint = Endpoint("a", UUID, ("h:1",), "")
    assert endpoint.server_name == "juju-apiserver"
    assert Endpoint("a", UUID, ("h:1",), "", "api.example.com").server_name == "api.example.com"


def test_new_addresses_and_names_describe_the_same_peer_but_a_new_ca_does_not() -> None:
    endpoint = Endpoint("a", UUID, ("h:1",), "")
    assert endpoint.same_peer(Endpoint("b", UUID, ("i:2",), "", "juju-apiserver"))
    assert not endpoint.same_peer(Endpoint("a", UUID, ("h:1",), "another"))
    assert not endpoint.same_peer(Endpoint("a", UUID, ("h:1",), "", "another"))


def test_a_ca_that_is_no_certificate_is_refused_by_name() -> None:
    with pytest.raises(NotValid) as caught:
        Endpoint("a", UUID, ("h:1",), "no certificate").tls()
    assert caught.value.field == "ca-certificate"
