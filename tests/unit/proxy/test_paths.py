"""Which requests below a model's path have a way to its controller, and with what."""

import re
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jimm.errors import (
    ControllerUnavailable,
    JimmError,
    LostAnswer,
    MigrationUnderway,
    ModelNotFound,
    RemoteError,
    SessionTokenInvalid,
    Unauthorized,
)
from jimm.proxy import paths
from jimm.proxy.paths import Forbidden, Kind, Passage, Refusal

MODEL = "0d2ba4c6-0ee5-4bf6-8a29-74f3a9a4e1d5"
BELOW = f"/model/{MODEL}"
OBJECT = f"/model-{MODEL}/charms/tiny-charm-0123abc"
ALLOWED = re.compile(
    rf"/model/{MODEL}/(log|charms|tools|tools/[0-9][A-Za-z0-9.-]*"
    r"|applications/[a-z0-9][a-z0-9-]*/resources/[A-Za-z0-9_][A-Za-z0-9._+-]*)"
    rf"|/model-{MODEL}/charms/[A-Za-z0-9][A-Za-z0-9-]*-[0-9a-f]{{7,64}}"
)
METHODS = some.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT"])
PIECES = some.sampled_from(
    [
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2E%2e",
        "%2f",
        "%5C",
        "\\",
        "%00",
        "%",
        "%zz",
        "\x00",
        "é",
        ";",
        "?",
        "#",
        " ",
        "\r\n",
        "api",
        "log",
        "charms",
        "tools",
        "commands",
        "applications",
        "resources",
        "a",
        "r",
        "tiny-0123abc",
        MODEL,
        MODEL.upper(),
        "model",
        "model-",
        f"/model/{MODEL}",
        f"/model-{MODEL}",
    ]
)


def refused(method: str, path: str, query: bytes = b"") -> Refusal:
    """How it is refused."""
    with pytest.raises(Refusal) as caught:
        paths.find(method, path.encode("latin-1"), query)
    return caught.value


def attempt(method: str, path: bytes, query: bytes = b"") -> Passage | Refusal:
    """What becomes of it."""
    try:
        return paths.find(method, path, query)
    except Refusal as refusal:
        return refusal


@pytest.mark.parametrize(
    ("method", "path", "kind", "level", "changes"),
    [
        ("GET", f"{BELOW}/log", Kind.LOG, "read", False),
        ("PUT", OBJECT, Kind.CHARM, "write", True),
        ("GET", OBJECT, Kind.CHARM, "read", False),
        ("POST", f"{BELOW}/charms", Kind.CHARMS, "write", True),
        ("GET", f"{BELOW}/charms", Kind.CHARMS, "read", False),
        ("PUT", f"{BELOW}/applications/a-b/resources/the.file", Kind.RESOURCE, "write", True),
        ("GET", f"{BELOW}/applications/a/resources/r_1", Kind.RESOURCE, "read", False),
        ("POST", f"{BELOW}/tools", Kind.TOOLS, "admin", True),
        ("GET", f"{BELOW}/tools/3.6.9-ubuntu-amd64", Kind.TOOL, "read", False),
    ],
)
def test_what_passes(method: str, path: str, kind: Kind, level: str, changes: bool) -> None:
    found = paths.find(method, path.encode())
    assert (found.kind, found.method, found.level, found.changes) == (kind, method, level, changes)
    assert (found.model, found.target) == (MODEL, path)


@pytest.mark.parametrize(
    "path",
    [
        f"{BELOW}/../{MODEL}/charms",
        f"{BELOW}/./charms",
        f"{BELOW}//charms",
        f"/model//{MODEL}/charms",
        f"{BELOW}/applications/a%2fb/resources/r",
        f"{BELOW}/applications/a%5Cb/resources/r",
        f"{BELOW}/applications/a\\b/resources/r",
        f"{BELOW}/%2e%2e/charms",
        f"{BELOW}/.%2E/charms",
        f"{BELOW}/charms%00",
        f"{BELOW}/charms%0d%0a",
        f"{BELOW}/charms%",
        f"{BELOW}/charms\xe9",
        f"{BELOW}/charms%c3%a9",
        "/model/not-a-uuid/charms",
        f"/model/{MODEL.upper()}/charms",
        "/model//charms",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(path: str) -> None:
    found = refused("GET", path)
    assert (found.status, found.code) == (400, "bad request")


@pytest.mark.parametrize(
    "path",
    [
        BELOW,
        f"{BELOW}/",
        f"{BELOW}/api",
        f"{BELOW}/commands",
        f"{BELOW}/charms/",
        f"{BELOW}/charms/x",
        f"{BELOW}/%63harms",
        f"{BELOW}/applications/a/resources/",
        f"{BELOW}/applications/a/resources/.hidden",
        f"{BELOW}/units/a-0/resources/r",
        f"{BELOW}/backups",
        f"{BELOW}/logsink",
        f"{BELOW}/rest/1.0/remote-application/a/icon",
        f"{BELOW}/charms%252f",
        f"/model-{MODEL}/charms/tiny",
        f"/model-{MODEL}/charms/tiny-xyzxyzx",
        f"/model-{MODEL}/log",
    ],
)
def test_other_paths_are_not_found(path: str) -> None:
    found = refused("GET", path)
    assert (found.status, found.code) == (404, "not found")
    assert found.body == {"error": {"message": "not found", "code": "not found"}}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", OBJECT, ("GET", "PUT")),
        ("PUT", f"{BELOW}/charms", ("GET", "POST")),
        ("POST", f"{BELOW}/applications/a/resources/r", ("GET", "PUT")),
        ("GET", f"{BELOW}/tools", ("POST",)),
        ("HEAD", f"{BELOW}/log", ("GET",)),
    ],
)
def test_other_methods_are_told_which_there_are(
    method: str, path: str, allow: tuple[str, ...]
) -> None:
    found = refused(method, path)
    assert (found.status, found.code, found.allow) == (405, "method not allowed", allow)


def test_charms_have_an_error_form_of_their_own() -> None:
    text = 'unsupported method: "DELETE"'
    assert refused("DELETE", OBJECT).body == {"error": text, "error-code": "method not allowed"}
    found = refused("DELETE", f"{BELOW}/tools").body
    assert found == {"error": {"message": text, "code": "method not allowed"}}


@given(method=METHODS, pieces=some.lists(PIECES, max_size=8))
def test_nothing_outside_the_templates_ever_passes(method: str, pieces: list[str]) -> None:
    path = "".join(pieces)
    found = attempt(method, path.encode("latin-1"))
    if isinstance(found, Refusal):
        assert found.status in (400, 404, 405)
        return
    assert ALLOWED.fullmatch(found.target)
    assert found.target == path == unquote(path)
    assert method in ("GET", "PUT", "POST")


@given(path=some.binary(max_size=80))
def test_no_bytes_below_a_model_s_path_pass_by_chance(path: bytes) -> None:
    with pytest.raises(Refusal):
        paths.find("GET", b"/model/" + path)


@given(
    pairs=some.lists(
        some.tuples(
            some.sampled_from(
                ["level", "includeEntity", ":modeluuid", "%3Amodeluuid", "level;x", "url", ""]
            ),
            some.text(alphabet="ab&=%2F;+#é ", max_size=6),
        )
    )
)
def test_only_named_parameters_pass(pairs: list[tuple[str, str]]) -> None:
    raw = "&".join(f"{name}={value}" for name, value in pairs).encode()
    found = attempt("GET", f"{BELOW}/log".encode(), raw)
    if isinstance(found, Refusal):
        assert found.status == 400
        return
    query = found.target.partition("?")[2]
    names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    assert names <= {"level", "includeEntity"}
    assert re.fullmatch(r"[!-~]*", query)
    assert ";" not in query


def test_parameters_keep_their_order_and_number() -> None:
    query = b"includeEntity=unit-a-0&level=DEBUG&includeEntity=machine-%2A&:modeluuid=x&noTail="
    found = paths.find("GET", f"{BELOW}/log".encode(), query)
    assert found.target == (
        f"{BELOW}/log?includeEntity=unit-a-0&level=DEBUG&includeEntity=machine-%2A&noTail="
    )


def test_headers_pass_by_name() -> None:
    given_ = [
        (b"authorization", b"Basic x"),
        (b"Cookie", b"jimm-browser-session=x"),
        (b"content-type", b"application/zip"),
        (b"Juju-Curl", b"local:a-1"),
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"transfer-encoding", b"chunked"),
        (b"expect", b"100-continue"),
        (b"origin", b"https://elsewhere"),
    ]
    assert paths.to_controller(given_) == [given_[2], given_[3]]
    answered = [
        (b"content-type", b"application/json"),
        (b"set-cookie", b"a=b"),
        (b"location", b"https://10.0.0.1:17070/"),
        (b"Juju-Curl", b"local:a-1"),
        (b"www-authenticate", b'Basic realm="juju"'),
        (b"server", b"x"),
    ]
    assert paths.to_client(answered) == [answered[0], answered[3]]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unauthorized("authentication failed"), 401),
        (SessionTokenInvalid("gone"), 401),
        (Forbidden(), 403),
        (ModelNotFound("unknown model"), 404),
        (MigrationUnderway(), 409),
        (ControllerUnavailable("away"), 503),
        (LostAnswer("lost"), 503),
        (JimmError("else"), 500),
    ],
)
def test_errors_have_juju_s_statuses(error: JimmError, status: int) -> None:
    found = paths.refusal(error, paths.find("POST", f"{BELOW}/tools".encode()))
    assert found.status == status
    assert found.body == {"error": {"message": str(error), "code": error.juju_code}}


def test_a_controller_s_own_text_is_not_shown() -> None:
    passage = paths.find("POST", f"{BELOW}/tools".encode())
    found = paths.refusal(RemoteError("credential secret=hunter2", "not valid"), passage)
    assert (found.status, str(found)) == (502, "the controller refused it")


@pytest.mark.parametrize(
    ("version", "needed"),
    [
        ("3.6.9", True),
        ("3.6.23", True),
        ("3.6.24", False),
        ("3.6.26", False),
        ("3.5.7", True),
        ("4.0.1", True),
        ("4.0.13", False),
        ("4.1-beta1", False),
        ("", True),
    ],
)
def test_which_controllers_look_for_a_superuser(version: str, needed: bool) -> None:
    assert paths.needs_superuser(version) is needed


@pytest.mark.parametrize(
    ("path", "concerns"),
    [
        (f"{BELOW}/charms".encode(), True),
        (OBJECT.encode(), True),
        (b"/models", False),
        (b"/v1/models", False),
        (b"/%6dodel/x/charms", False),
        (b"", False),
    ],
)
def test_which_paths_are_a_model_s(path: bytes, concerns: bool) -> None:
    assert paths.concerns(path) is concerns
