"""The rules that all clients together impose on a reply, whatever was asked."""

from typing import Any

from jimm.facades.dispatch import FAILED

BROKEN = (FAILED, "internal error of the simulator")
"""What JIMM and the simulator say when they failed by themselves."""


def judge(reply: dict[str, Any]) -> None:
    """Fails on a reply that some client could not read, or that tells of a bug of ours."""
    assert isinstance(reply["request-id"], int)
    assert isinstance(reply["response"], dict)
    if "error" in reply:
        assert reply["error"]
        assert reply["error"] not in BROKEN
    else:
        assert "error-code" not in reply
    _assert_errors_are_told(reply["response"])


def _assert_errors_are_told(value: object) -> None:
    """No row has `"error": null`: python-libjuju breaks on it."""
    if isinstance(value, dict):
        assert value.get("error", "") is not None, value
        error = value.get("error")
        if isinstance(error, dict):
            assert error.get("message") not in BROKEN, value
        for each in value.values():
            _assert_errors_are_told(each)
    elif isinstance(value, list):
        for each in value:
            _assert_errors_are_told(each)
