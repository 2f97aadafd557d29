"""The ids of secrets, as ``github.com/rs/xid`` writes them."""

import base64


def secret_id(raw: bytes) -> str:
    """20 letters and digits for 12 bytes; clients parse them."""
    return base64.b32hexencode(raw).decode().rstrip("=").lower()
