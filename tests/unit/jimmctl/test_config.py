"""Where jimmctl finds JIMM and a login, with the files as their own programs write them."""

import json
import stat
from pathlib import Path

import pytest

from jimmctl import config
from jimmctl.config import Flags, Place
from jimmctl.errors import JimmctlError, NotLoggedIn, Usage

CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

CONTROLLERS = """\
controllers:
  jimm:
    uuid: 982b16d9-a945-4762-b684-fd4fd885aa11
    api-endpoints: ['127.0.0.1:17070', '[::1]:17070']
    ca-cert: |
      -----BEGIN CERTIFICATE-----
      MIIB
      -----END CERTIFICATE-----
    cloud: ""
    oidc-login: true
    controller-machine-count: 0
  other:
    uuid: 982b16d9-a945-4762-b684-fd4fd885aa12
    api-endpoints: ['192.0.2.1:17070']
    controller-machine-count: 0
current-controller: jimm
"""

ACCOUNTS = """\
controllers:
  jimm:
    user: alice@jimm
    access-token: juju-token
    last-known-access: superuser
  other:
    user: admin
    password: juju-password
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, with nothing in it."""
    return {"HOME": str(tmp_path)}


@pytest.fixture
def juju(tmp_path: Path) -> Path:
    """The juju client's folder, logged in to two controllers."""
    folder = tmp_path / ".local" / "share" / "juju"
    folder.mkdir(parents=True)
    (folder / "controllers.yaml").write_text(CONTROLLERS)
    (folder / "accounts.yaml").write_text(ACCOUNTS)
    return folder


def store(environment: dict[str, str], **values: str) -> Path:
    given = {"user": "bob", "identity": "bob@jimm", "token": "own-token", **values}
    return config.store(Place(addresses=("jimm.example.com:443",), **given), environment)


def test_nothing_known_says_what_to_do(environment: dict[str, str]) -> None:
    with pytest.raises(Usage, match="give --address HOST:PORT"):
        config.find(Flags(), environment)


def test_the_juju_clients_current_controller(environment: dict[str, str], juju: Path) -> None:
    place = config.find(Flags(), environment)
    assert place.addresses == ("127.0.0.1:17070", "[::1]:17070")
    assert place.ca_certificate == CA
    assert (place.user, place.token) == ("alice@jimm", "juju-token")
    assert place.origin == 'the juju client\'s controller "jimm"'


def test_juju_data_names_the_folder(environment: dict[str, str], juju: Path) -> None:
    moved = juju.rename(juju.parent.parent / "elsewhere")
    assert config.find(Flags(), {**environment, "JUJU_DATA": str(moved)}).token == "juju-token"
    with pytest.raises(Usage):
        config.find(Flags(), environment)


def test_juju_controller_is_current_as_for_juju(environment: dict[str, str], juju: Path) -> None:
    place = config.find(Flags(), {**environment, "JUJU_CONTROLLER": "other"})
    assert (place.user, place.password) == ("admin", "juju-password")


def test_the_own_login_comes_before_jujus(environment: dict[str, str], juju: Path) -> None:
    store(environment)
    place = config.find(Flags(), environment)
    assert (place.addresses, place.token) == (("jimm.example.com:443",), "own-token")


def test_the_environment_comes_before_the_own_login(
    environment: dict[str, str], tmp_path: Path
) -> None:
    store(environment)
    authority = tmp_path / "ca.pem"
    authority.write_text(CA)
    place = config.find(
        Flags(),
        {
            **environment,
            "JIMMCTL_ADDRESS": "192.0.2.7:17443",
            "JIMMCTL_CA_CERT": str(authority),
            "JIMMCTL_TOKEN": "given-token",
        },
    )
    assert place.addresses == ("192.0.2.7:17443",)
    assert (place.ca_certificate, place.token) == (CA, "given-token")


def test_flags_come_before_the_environment(environment: dict[str, str]) -> None:
    place = config.find(
        Flags(address="192.0.2.8", user="alice"),
        {
            **environment,
            "JIMMCTL_ADDRESS": "192.0.2.7:17443",
            "JIMMCTL_USER": "bob",
            "JIMMCTL_PASSWORD": "secret",
            "JIMMCTL_TOKEN": "bobs-token",
        },
    )
    assert place.addresses == ("192.0.2.8:443",)
    assert (place.user, place.password, place.token) == ("alice", "secret", "")


def test_a_token_goes_only_where_it_is_from(environment: dict[str, str], juju: Path) -> None:
    store(environment)
    with pytest.raises(NotLoggedIn, match=r"not logged in to 192\.0\.2\.9:443"):
        config.find(Flags(address="192.0.2.9"), environment)


def test_an_address_that_juju_knows_brings_its_login(
    environment: dict[str, str], juju: Path
) -> None:
    place = config.find(Flags(address="192.0.2.1:17070"), environment)
    assert (place.user, place.password) == ("admin", "juju-password")


def test_another_user_needs_a_password_of_his_own(environment: dict[str, str], juju: Path) -> None:
    with pytest.raises(NotLoggedIn, match="of bob for 127"):
        config.find(Flags(user="bob"), environment)
    assert config.find(Flags(user="alice@jimm"), environment).token == "juju-token"


def test_what_is_stored_is_found_again_and_is_private(environment: dict[str, str]) -> None:
    path = store(environment, ca_certificate=CA, token_id="t1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert stat.S_IMODE(store(environment).stat().st_mode) == 0o600
    found = config.stored(environment)
    assert found is not None
    assert (found.user, found.identity, found.token) == ("bob", "bob@jimm", "own-token")
    assert [one.name for one in path.parent.iterdir()] == ["login.json"]
    config.forget(environment)
    config.forget(environment)
    assert config.stored(environment) is None


def test_jimmctl_data_names_the_folder(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "own"
    assert store({**environment, "JIMMCTL_DATA": str(folder)}) == folder / "login.json"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"address": "a b"}', '{"address": 1}'])
def test_a_damaged_login_is_named(environment: dict[str, str], content: str) -> None:
    path = store(environment)
    path.write_text(content)
    with pytest.raises(JimmctlError, match=r"login\.json is damaged"):
        config.find(Flags(), environment)


def test_damaged_files_of_juju_are_named(environment: dict[str, str], juju: Path) -> None:
    (juju / "controllers.yaml").write_text("controllers: [")
    with pytest.raises(JimmctlError, match=r"controllers\.yaml is not YAML"):
        config.find(Flags(), environment)


@pytest.mark.parametrize("content", ["", "[]", "controllers: 3", "current-controller: jimm"])
def test_odd_files_of_juju_count_as_none(
    environment: dict[str, str], juju: Path, content: str
) -> None:
    (juju / "controllers.yaml").write_text(content)
    with pytest.raises(Usage, match="no JIMM is known"):
        config.find(Flags(), environment)


def test_an_authority_that_is_none(environment: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Usage, match="can't be read"):
        config.find(Flags(address="a", ca_cert=str(tmp_path / "none.pem")), environment)
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(Usage, match="holds no CA certificate"):
        config.find(Flags(address="a", ca_cert=str(tmp_path / "text.pem")), environment)


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("jimm.example.com", "jimm.example.com:443"),
        ("https://JIMM.example.com:8443/v1/", "jimm.example.com:8443"),
        ("[::1]:17070", "[::1]:17070"),
        ("example.com/jimm", "example.com:443/jimm"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_addresses(given: str, normal: str) -> None:
    assert config.normal(given) == normal
    assert config.normal(normal) == normal


@pytest.mark.parametrize(
    "given",
    ["", "a b", "a:b", "a:1:2", "a:99999", "ftp://a", "me@a", "a?b", "a#b", "http://192.0.2.1:80"],
)
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(Usage):
        config.normal(given)


def test_secrets_are_not_shown() -> None:
    shown = repr(Place(user="alice", token="abc-token", password="abc-password"))
    assert "abc" not in shown


def test_the_file_holds_no_password(environment: dict[str, str]) -> None:
    path = store(environment, password="secret")
    assert "secret" not in json.dumps(json.loads(path.read_text()))
