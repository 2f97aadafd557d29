"""`jimm serve` with users and no controllers, for whoever comes with a browser."""

import asyncio
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import httpx

from jimm import accounts
from jimm.access.devices import Begun, DeviceLogins
from jimm.access.tokens import Issued, SessionTokens
from jimm.app import authority_certificate
from jimm.net.tasks import Tasks
from jimm.net.tls import client_context
from jimm.registry.crypto import load_keys
from jimm.registry.session import Registry
from jimm.settings import Settings
from tests.juju_client import Registration
from tests.waiting import wait_until

PASSWORD = "correct horse battery"
USERS = ("admin", "alice", "bob", "carol", "dora")


@dataclass
class Site:
    """One replica. The others of its deployment share ``environment`` but for the address."""

    folder: Path
    environment: dict[str, str]
    port: int
    ca: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    replicas: list["Site"] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        """Trust in its authority."""
        return client_context(self.ca)

    @property
    def settings(self) -> Settings:
        """As the process has them."""
        values = {each.removeprefix("JIMM_").lower(): v for each, v in self.environment.items()}
        return Settings.model_validate(values)

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jimm", "serve"],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )
        with httpx.Client(verify=self.tls) as client:
            wait_until(lambda: self._is_ready(client), deadline=30)

    def stop(self) -> None:
        """Ends it, and its replicas."""
        for each in self.replicas:
            each.stop()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    def registration(self) -> Registration:
        """Where the raw client finds it; nobody's login."""
        return Registration("jimm", "", f"127.0.0.1:{self.port}", self.ca, "", "")

    def replica(self) -> "Site":
        """Another one on the same database, which ends with this one."""
        port = free_port()
        environment = {
            **self.environment,
            "JIMM_LISTEN": f"127.0.0.1:{port}",
            "JIMM_PUBLIC_ADDRESS": f"127.0.0.1:{self.port}",
        }
        made = Site(self.folder, environment, port, self.ca)
        self.replicas.append(made)
        made.start()
        return made

    @staticmethod
    def clock() -> datetime:
        """The time."""
        return datetime.now(UTC)

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / f"{self.port}.log").read_text()

    @asynccontextmanager
    async def device(self, client: str = "juju 3.6.9") -> AsyncIterator["Device"]:
        """A client that waits for a device login; this process is the replica it is on."""
        async with self.registry() as registry:
            logins = DeviceLogins(registry, SessionTokens(registry, self.clock), self.clock)
            tasks = Tasks()
            begun = await logins.begin(client)
            waiting = tasks.spawn(logins.wait(begun.id), name="device login")
            try:
                yield Device(begun, waiting)
            finally:
                await tasks.aclose()

    @asynccontextmanager
    async def registry(self) -> AsyncIterator[Registry]:
        """Its database."""
        opened = Registry(self.environment["JIMM_DATABASE_URL"], pool_size=3)
        try:
            yield opened
        finally:
            await opened.aclose()

    def browser(self) -> "httpx.AsyncClient":
        """A browser without eyes: it keeps cookies and follows nothing by itself."""
        headers = {"Accept": "text/html"}
        return httpx.AsyncClient(base_url=self.url, verify=self.tls, headers=headers, timeout=20)

    def _is_ready(self, client: httpx.Client) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return client.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False


@dataclass(frozen=True)
class Device:
    """A client that shows a code; ``waiting`` ends when the person has said yes or no."""

    begun: Begun
    waiting: "asyncio.Task[Issued]"

    @property
    def code(self) -> str:
        """The code."""
        return self.begun.user_code


class Page(HTMLParser):
    """What stands on a page: its texts, and its one form."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text
        self.status = answer.status_code
        self.source = answer.text
        self.action = ""
        self.fields: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self._inside: list[str] = []
        self.feed(answer.text)

    @property
    def title(self) -> str:
        """The page's title."""
        return self.texts["title"].strip()

    @property
    def heading(self) -> str:
        """The one main heading."""
        assert len(re.findall("<h1", self.source)) == 1
        return self.texts["h1"].strip()

    @property
    def text(self) -> str:
        """All that can be read, in one line."""
        return " ".join(self.texts["main"].split())

    @property
    def error(self) -> str:
        """The sentence about what was entered, or empty; the title says so too."""
        found = " ".join(self.texts.get("error", "").split())
        assert self.title.startswith("Error: ") == bool(found)
        return found.removeprefix("Error: ")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes forms and inputs."""
        given = dict(attrs)
        if tag == "form":
            self.action = given["action"] or ""
        if tag == "input":
            self.fields[given["name"] or ""] = given.get("value") or ""
        elif tag not in {"meta", "link"}:
            self._inside.append("error" if given.get("id") == "error" else tag)

    def handle_endtag(self, tag: str) -> None:
        """Leaves an element."""
        self._inside.pop()

    def handle_data(self, data: str) -> None:
        """Notes texts, for each element that they are in."""
        for each in set(self._inside):
            self.texts[each] = self.texts.get(each, "") + data


async def opened(browser: httpx.AsyncClient, path: str) -> Page:
    """The page at a path, after redirections within JIMM."""
    return Page(await browser.get(path, follow_redirects=True))


async def sent(browser: httpx.AsyncClient, page: Page, **fields: str) -> Page:
    """The page that follows when a form is filled in and sent."""
    answer = await posted(browser, page, **fields)
    while answer.is_redirect:
        assert answer.status_code == 303
        answer = await browser.get(answer.headers["location"])
    return Page(answer)


async def posted(browser: httpx.AsyncClient, page: Page, **fields: str) -> httpx.Response:
    """The answer to a form."""
    return await browser.post(page.action, data={**page.fields, **fields})


@contextmanager
def site(folder: Path, database_url: str, more: Mapping[str, str]) -> Iterator[Site]:
    """A started one with users."""
    port = free_port()
    environment = {
        "JIMM_DATABASE_URL": database_url,
        "JIMM_SECRET_KEY_FILE": str(folder / "key"),
        "JIMM_LISTEN": f"127.0.0.1:{port}",
        **more,
    }
    load_keys(folder / "key", create=True)
    made = Site(folder, environment, port)
    asyncio.run(_prepare(made))
    try:
        made.start()
        yield made
    finally:
        made.stop()


async def _prepare(made: Site) -> None:
    for name in USERS:
        await accounts.add(made.settings, name, PASSWORD, admin=name == "admin")
    made.ca = await authority_certificate(made.settings)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
