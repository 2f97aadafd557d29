"""Juju's error codes (``rpc/params/apierror.go``), as far as JIMM reads or sends them."""

from typing import Final

NOT_FOUND: Final = "not found"
USER_NOT_FOUND: Final = "user not found"
MODEL_NOT_FOUND: Final = "model not found"
UNAUTHORIZED: Final = "unauthorized access"
SESSION_TOKEN_INVALID: Final = "session token invalid"  # noqa: S105 - a code, no secret
FATAL_LOGIN: Final = "fatal login error"
NO_CREDENTIALS: Final = "no credentials provided"
REDIRECT: Final = "redirection required"
ACCESS_REQUIRED: Final = "access required"
ALREADY_EXISTS: Final = "already exists"
NOT_IMPLEMENTED: Final = "not implemented"
NOT_SUPPORTED: Final = "not supported"
NOT_VALID: Final = "not valid"
BAD_REQUEST: Final = "bad request"
FORBIDDEN: Final = "forbidden"
METHOD_NOT_ALLOWED: Final = "method not allowed"
OPERATION_BLOCKED: Final = "operation is blocked"
UPGRADE_IN_PROGRESS: Final = "upgrade in progress"
TRY_AGAIN: Final = "try again"
STOPPED: Final = "stopped"
STILL_ALIVE: Final = "still alive"
CONNECTION_FAILED: Final = "connection failed"
MACHINE_HAS_UNITS: Final = "machine has assigned units"
MACHINE_HAS_CONTAINERS: Final = "machine is hosting containers"
STORAGE_ATTACHED: Final = "storage is attached"

GONE: Final = frozenset({NOT_FOUND, MODEL_NOT_FOUND, UNAUTHORIZED, REDIRECT})
"""What a source controller may answer for a model that has moved away."""
