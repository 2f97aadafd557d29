"""Where a command finds JIMM and a way to sign in there.

In this order, for the address as for the login:

1. ``--address``, ``--ca-cert``, ``--user`` and the variables ``JIMMCTL_ADDRESS``,
   ``JIMMCTL_CA_CERT`` (a file), ``JIMMCTL_TOKEN``, ``JIMMCTL_USER``, ``JIMMCTL_PASSWORD``;
2. what ``jimmctl login`` stored: ``login.json`` in ``$JIMMCTL_DATA``, or in ``jimmctl`` of the
   user's data folder (``$XDG_DATA_HOME`` or ``~/.local/share``);
3. the juju client's current controller: ``controllers.yaml`` and ``accounts.yaml`` in
   ``$JUJU_DATA``, or in ``juju`` of the data folder (Juju ``jujuclient/file.go``).

A stored login and a stored CA are used only for the address they were stored with: naming
another address never sends somebody's token there.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from jimmctl.errors import JimmctlError, NotLoggedIn, Usage

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names of this very machine."""

_URL = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?(/[a-z0-9/._~-]*)?", re.I)


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; ``""`` for what was not given."""

    address: str = ""
    ca_cert: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A JIMM, and what there is to sign in with.

    ``addresses`` are as :func:`normal` makes them; ``ca_certificate`` is PEM, ``""`` for the
    system's roots; ``origin`` names the source of the address, ``relogin`` says how to renew
    the login: both are parts of sentences.
    """

    addresses: tuple[str, ...] = ()
    ca_certificate: str = ""
    user: str = ""
    identity: str = ""
    token: str = field(default="", repr=False)
    token_id: str = ""
    password: str = field(default="", repr=False)
    origin: str = "--address or JIMMCTL_ADDRESS"
    relogin: str = "run `jimmctl login`"

    @property
    def can_sign_in(self) -> bool:
        return bool(self.token or (self.user and self.password))

    def is_at(self, addresses: tuple[str, ...]) -> bool:
        """Whether one of the addresses is this place's."""
        return not set(addresses).isdisjoint(self.addresses)

    def belongs_to(self, user: str) -> bool:
        """Whether the login is that user's; ``""`` is anybody."""
        return user in ("", self.user, self.identity)


def find(flags: Flags, environment: Mapping[str, str]) -> Place:
    """The place to work with, with a login.

    Raises:
        Usage: no address is known, or what is given can't be read.
        NotLoggedIn: an address is known, and no login for it.
    """
    place = find_server(flags, environment)
    if place.can_sign_in:
        return place
    at = place.addresses[0]
    if place.user:
        raise NotLoggedIn(
            f"there is no password or token of {place.user} for {at}: set JIMMCTL_PASSWORD, "
            f"or run `jimmctl login --user {place.user}`"
        )
    raise NotLoggedIn(f"not logged in to {at}: run `jimmctl login`, or set JIMMCTL_TOKEN")


def find_server(flags: Flags, environment: Mapping[str, str]) -> Place:
    """The place to work with; it may be one where nobody can sign in yet (for ``login``).

    Raises:
        Usage: no address is known, or what is given can't be read.
    """
    given = _given(flags, environment)
    known = list(_known(environment, anywhere=bool(given.addresses)))
    if given.addresses:
        known = [place for place in known if place.is_at(given.addresses)]
    if not given.addresses and not known:
        raise Usage(
            "no JIMM is known: give --address HOST:PORT or JIMMCTL_ADDRESS, "
            "or run `jimmctl login --address HOST:PORT` or `juju login` first"
        )
    addresses = given.addresses or known[0].addresses
    here = [place for place in known if place.is_at(addresses)]
    authority = next((place.ca_certificate for place in here if place.ca_certificate), "")
    logins = (one for one in here if one.can_sign_in and one.belongs_to(given.user))
    login = given if given.can_sign_in else next(logins, given)
    return replace(
        login,
        addresses=addresses,
        ca_certificate=given.ca_certificate or authority,
        origin=given.origin if given.addresses else known[0].origin,
    )


def normal(address: str) -> str:
    """An address as ``host:port[/path]``, port 443 when none is given; ``http://…`` is kept
    for this very machine alone, since a token in clear would be anybody's.

    Raises:
        Usage: it is not an address.
    """
    refusal = Usage(f'"{address}" is not an address: give HOST:PORT')
    text = address.strip()
    text = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise refusal from error
    if parts.hostname is None or not _URL.fullmatch(text):
        raise refusal
    plain = parts.scheme == "http"
    if plain and parts.hostname not in LOOPBACK:
        raise Usage(f"{address} would send passwords in clear: give an address with TLS")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{'http://' if plain else ''}{host}:{port or (80 if plain else 443)}{path}"


def own_folder(environment: Mapping[str, str]) -> Path:
    """Where ``jimmctl`` keeps its login."""
    own = environment.get("JIMMCTL_DATA", "")
    return Path(own) if own else _data_folder(environment) / "jimmctl"


def store(place: Place, environment: Mapping[str, str]) -> Path:
    """Keeps the login for later commands, readable by its owner alone; gives the file."""
    folder = own_folder(environment)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {
        "address": place.addresses[0],
        "ca-certificate": place.ca_certificate,
        "user": place.user,
        "identity": place.identity,
        "token": place.token,
        "token-id": place.token_id,
    }
    draft = folder / f"login.json.{os.getpid()}"
    draft.unlink(missing_ok=True)
    # Made with its narrow mode; the rename replaces a file that may be wider.
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    return draft.replace(folder / "login.json")


def forget(environment: Mapping[str, str]) -> None:
    """Removes the stored login, if there is one."""
    (own_folder(environment) / "login.json").unlink(missing_ok=True)


def stored(environment: Mapping[str, str]) -> Place | None:
    """What ``jimmctl login`` stored.

    Raises:
        JimmctlError: the file can't be read.
    """
    path = own_folder(environment) / "login.json"
    content = _read(path)
    if content is None:
        return None
    try:
        fields = json.loads(content)
        address = fields["address"]
        values = {key: str(fields.get(key) or "") for key in ("user", "identity", "token")}
        authority = str(fields.get("ca-certificate") or "")
        token_id = str(fields.get("token-id") or "")
        addresses = (normal(address),)
    except (ValueError, KeyError, TypeError, AttributeError, Usage) as error:
        raise JimmctlError(f"{path} is damaged: remove it and run `jimmctl login`") from error
    return Place(addresses, authority, **values, token_id=token_id, origin=f"the login in {path}")


def _given(flags: Flags, environment: Mapping[str, str]) -> Place:
    address = flags.address or environment.get("JIMMCTL_ADDRESS", "")
    authority = flags.ca_cert or environment.get("JIMMCTL_CA_CERT", "")
    user = flags.user or environment.get("JIMMCTL_USER", "")
    password = environment.get("JIMMCTL_PASSWORD", "")
    # A user named on the command line with a password at hand means just that login.
    token = "" if flags.user and password else environment.get("JIMMCTL_TOKEN", "")
    return Place(
        addresses=(normal(address),) if address else (),
        ca_certificate=_authority(Path(authority)) if authority else "",
        user=user,
        token=token,
        password=password,
        relogin="set another JIMMCTL_TOKEN" if token else "run `jimmctl login`",
    )


def _known(environment: Mapping[str, str], *, anywhere: bool) -> Iterator[Place]:
    own = stored(environment)
    if own is not None:
        yield own
    yield from _juju(environment, anywhere=anywhere)


def _juju(environment: Mapping[str, str], *, anywhere: bool) -> Iterator[Place]:
    """The juju client's current controller; ``anywhere``: its other controllers too."""
    data = environment.get("JUJU_DATA", "")
    folder = Path(data) if data else _data_folder(environment) / "juju"
    known = _yaml(folder / "controllers.yaml")
    controllers = _mapping(known.get("controllers"))
    current = environment.get("JUJU_CONTROLLER") or known.get("current-controller")
    others = [name for name in controllers if name != current] if anywhere else []
    names = [name for name in (current, *others) if isinstance(name, str)]
    if not controllers or not names:
        return
    accounts = _mapping(_yaml(folder / "accounts.yaml").get("controllers"))
    for name in names:
        place = _juju_place(name, _mapping(controllers.get(name)), _mapping(accounts.get(name)))
        if place.addresses:
            yield place


def _juju_place(
    name: str, controller: Mapping[str, object], account: Mapping[str, object]
) -> Place:
    return Place(
        addresses=tuple(_endpoints(controller.get("api-endpoints"))),
        ca_certificate=str(controller.get("ca-cert") or ""),
        user=str(account.get("user") or ""),
        token=str(account.get("access-token") or ""),
        password=str(account.get("password") or ""),
        origin=f'the juju client\'s controller "{name}"',
        relogin=f"run `juju login -c {name}` or `jimmctl login`",
    )


def _endpoints(value: object) -> Iterator[str]:
    for one in value if isinstance(value, list) else ():
        try:
            yield normal(str(one))
        except Usage:
            continue  # the juju client's file; another endpoint may do


def _authority(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise Usage(f"the CA certificate {path} can't be read: {reason}") from error
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise Usage(f"{path} holds no CA certificate in PEM form")
    return text


def _data_folder(environment: Mapping[str, str]) -> Path:
    data = environment.get("XDG_DATA_HOME", "")
    return Path(data) if data else _home(environment) / ".local" / "share"


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME", "")
    return Path(home) if home else Path.home()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise JimmctlError(f"{path} can't be read: {error}") from error


def _yaml(path: Path) -> Mapping[str, object]:
    content = _read(path)
    if content is None:
        return {}
    import yaml  # not needed for --help

    try:
        return _mapping(yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise JimmctlError(f"{path} is not YAML: the juju client's own file is damaged") from error


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
