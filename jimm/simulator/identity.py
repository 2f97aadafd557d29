"""What a controller is given once: uuid, authority, certificate, administrator's password."""

import ipaddress
import secrets
import uuid

import msgspec

from jimm.net.certificates import Authority
from jimm.simulator.core import Options
from jimm.simulator.store import Identity, Store
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID


def load_identity(store: Store, options: Options) -> Identity:
    """The identity in the store, made now if there is none.

    The certificate is issued anew, by the same authority, when the host's names have changed.
    """
    identity = store.identity()
    names = _names(options)
    if identity is None:
        identity = _create(options, names)
    elif identity.names != names:
        identity = _issue(identity, names)
    else:
        return identity
    store.keep_identity(identity)
    return identity


def _create(options: Options, names: tuple[str, ...]) -> Identity:
    authority = Authority.create(f"simulated controller {options.name}")
    bare = Identity(
        uuid=ControllerUUID(str(uuid.uuid4())),
        authority_pem=authority.certificate_pem,
        authority_key=authority.key_pem,
        chain_pem="",
        key=Secret(""),
        names=(),
        admin_password=Secret(options.password or secrets.token_urlsafe(24)),
    )
    return _issue(bare, names)


def _issue(identity: Identity, names: tuple[str, ...]) -> Identity:
    issued = Authority(identity.authority_pem, identity.authority_key).issue(names)
    return msgspec.structs.replace(
        identity, chain_pem=issued.chain_pem, key=issued.key_pem, names=names
    )


def _names(options: Options) -> tuple[str, ...]:
    wanted = [options.host, options.advertise, "127.0.0.1"]
    return tuple(dict.fromkeys(name for name in wanted if name and not _is_wildcard(name)))


def _is_wildcard(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return False
