"""JIMM's own certificate authority, kept sealed."""

from typing import Final

from jimm.net.certificates import Authority
from jimm.registry import settings
from jimm.registry.crypto import Sealer
from jimm.registry.session import Registry
from jimm.wire.secret import Secret

_KEY: Final = "authority"
_BETWEEN: Final = "\0"


async def own_authority(registry: Registry, sealer: Sealer) -> Authority:
    """The authority; whoever comes first makes it, for all replicas."""
    place = {"table": "sealed_settings", "column": "sealed", "row": _KEY}
    async with registry.read() as session:
        sealed = await settings.sealed(session, _KEY)
    if sealed is None:
        made = Authority.create("JIMM")
        both = Secret(f"{made.certificate_pem}{_BETWEEN}{made.key_pem.reveal()}")
        async with registry.write() as session:
            sealed = await settings.put_sealed_once(session, _KEY, sealer.seal(both, **place))
    certificate, _, key = sealer.open(sealed, **place).reveal().partition(_BETWEEN)
    return Authority(certificate, Secret(key))
