"""What runs for a section: a stand-in for controllers, JIMM, HAProxy and the load.

Whatever is started is ended when the stage is left, in the reverse order.
"""

import json
import socket
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from bench import haproxy
from bench.build import PROGRAM
from bench.ground import Ground
from bench.jimms import Jimm, free_port, until
from bench.load import Load, Target, password_login
from bench.processes import Ended, Program, cpu
from bench.table import HAPROXY, JIMM, STRAIGHT
from jimm.simulator.tables import make_tables
from jimm.wire.tags import ModelUUID

CLOUD: Final = "metro"
REGION: Final = "north"
VERSION: Final = "3.6.9"
REGISTERED_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a stand-in has; ``owner`` is a full identity."""

    uuid: str
    name: str
    owner: str


class Stage:
    """What a section has running."""

    def __init__(self, ground: Ground, stack: ExitStack) -> None:
        self.ground = ground
        self._stack = stack
        self.standin: Program | None = None
        self.ports: list[int] = []
        self.uuids: list[str] = []
        self.haproxy: Program | None = None
        self.haproxy_port = 0
        self.jimms: dict[str, Jimm] = {}

    @property
    def jimm(self) -> Jimm:
        """The JIMM of this tree."""
        return self.jimms[JIMM]

    def start_standin(self, controllers: int = 1) -> None:
        """Starts a stand-in with so many controllers and no models."""
        self.uuids = [str(uuid.uuid4()) for _ in range(controllers)]
        self.standin = self._start("standin", [str(PROGRAM), "standin"], talks=True)
        tables = make_tables(VERSION)
        told = self.standin.tell(
            {
                "certificate": str(self.ground.folder / "server.pem"),
                "key": str(self.ground.folder / "server.key"),
                "version": VERSION,
                "cloud": CLOUD,
                "region": REGION,
                "facades": _facades(tables.listing(None)),
                "facades-of-models": _facades(tables.listing(ModelUUID("any"))),
                "controllers": [
                    {"uuid": each, "name": f"c{number}"} for number, each in enumerate(self.uuids)
                ],
            }
        )
        self.ports = told["ports"]

    def put(self, controller: int, models: Sequence[Model]) -> None:
        """Gives a controller of the stand-in models."""
        rows = [{"uuid": m.uuid, "name": m.name, "owner": m.owner} for m in models]
        self._told().ask(do="models", controller=controller, models=rows)

    def calls(self) -> Counter[str]:
        """How often the controllers were called until now, by facade and method; pings are no
        calls."""
        told = self._counts()
        return Counter({name: told[name] for name in told if "." in name and name != "Pinger.Ping"})

    def resumed(self) -> int:
        """How many connections to the controllers began with a TLS session that was resumed."""
        return self._counts().get("resumed TLS", 0)

    def registration(self, controller: int) -> dict[str, Any]:
        """What registers one of the stand-in's controllers."""
        return {
            "name": f"c{controller}",
            "uuid": self.uuids[controller],
            "api-addresses": [f"127.0.0.1:{self.ports[controller]}"],
            "ca-certificate": (self.ground.folder / "ca.pem").read_text(),
            "username": "admin",
            "password": "of-no-use",
        }

    def start_haproxy(self) -> bool:
        """Starts HAProxy before the first controller; false where it is not installed."""
        program = haproxy.program()
        if program is None:
            return False
        self.haproxy_port = free_port()
        file = haproxy.write(self.ground.folder, self.haproxy_port, self.ports[0])
        self.haproxy = self._start("haproxy", [program, "-db", "-f", str(file)])
        until(lambda: _answers(self.haproxy_port), "haproxy answers", self.haproxy)
        return True

    def start_jimms(self) -> None:
        """Starts JIMM, from each tree that is compared, each with a database of its own."""
        for peer in self.ground.trees:
            made = self.prepare_jimm(peer)
            made.start()
            made.await_ready()
            made.log_in()
            self.register(made)

    def prepare_jimm(self, peer: str = JIMM) -> Jimm:
        """A JIMM with a schema and users, not started yet."""
        made = self.ground.new_jimm(peer)
        self.jimms[peer] = made
        self._stack.callback(made.stop)
        return made

    def register(self, jimm: Jimm) -> None:
        """Registers all controllers of the stand-in."""
        with ThreadPoolExecutor(REGISTERED_AT_ONCE) as pool:
            list(pool.map(jimm.register, map(self.registration, range(len(self.uuids)))))
        jimm.await_available(len(self.uuids))

    def load(self, name: str, target: Target) -> Load:
        """A load of its own on a target."""
        return Load(self._start(f"load-{name}", [str(PROGRAM), "load"], talks=True), target)

    def direct(self, path: str) -> Target:
        """The stand-in's first controller itself."""
        return self._outside(self.ports[0], path)

    def through_haproxy(self, path: str) -> Target:
        """The same through HAProxy."""
        return self._outside(self.haproxy_port, path)

    def spent(self, peer: str) -> float:
        """CPU seconds of what is in the middle until now; none where nothing is."""
        return 0.0 if peer == STRAIGHT else cpu(self.pid(peer))

    def middles(self) -> list[str]:
        """The peers with something in the middle."""
        return [*([HAPROXY] if self.haproxy is not None else []), *self.jimms]

    def postgres_spent(self, peer: str) -> float:
        """CPU seconds of Postgres for a JIMM until now; none for other peers."""
        return self.jimms[peer].postgres_cpu() if peer in self.jimms else 0.0

    def pid(self, peer: str) -> int:
        """The process in the middle."""
        if peer != HAPROXY:
            return self.jimms[peer].pid
        if self.haproxy is None:
            raise Ended("HAProxy does not run")
        return self.haproxy.pid

    def loads(self) -> dict[str, Load]:
        """A load on every peer, as far as they run, each on a new model of alice's."""
        made = {STRAIGHT: self.load(STRAIGHT, self.direct(_path(str(uuid.uuid4()))))}
        if self.haproxy is not None:
            target = self.through_haproxy(_path(str(uuid.uuid4())))
            made[HAPROXY] = self.load(HAPROXY, target)
        for peer, each in self.jimms.items():
            creator = self.load(f"{peer}-api", each.target())
            params = {"name": "m1", "owner-tag": "user-alice", "cloud-tag": f"cloud-{CLOUD}"}
            answer = creator.call("ModelManager", 10, "CreateModel", params).last
            model = json.loads(answer)["response"]["uuid"]
            made[peer] = self.load(peer, each.target(_path(model)))
        return made

    def _outside(self, port: int, path: str) -> Target:
        login = password_login("admin", "of-no-use")
        return Target(f"127.0.0.1:{port}", path, self.ground.folder / "ca.pem", login)

    def _counts(self) -> dict[str, int]:
        return dict(self._told().ask(do="counts"))

    def _told(self) -> Program:
        if self.standin is None:
            raise Ended("there is no stand-in")
        return self.standin

    def _start(self, name: str, command: Sequence[str], *, talks: bool = False) -> Program:
        made = Program(name, command, self.ground.folder, talks=talks)
        self._stack.callback(made.end)
        return made


@contextmanager
def stage(ground: Ground) -> Iterator[Stage]:
    """An empty stage; whatever is started on it ends with it."""
    with ExitStack() as stack:
        yield Stage(ground, stack)


def small(ground: Ground) -> tuple[Stage, dict[str, Load]]:
    """Four controllers and a model of alice's for each JIMM, HAProxy, and a load for each peer;
    made once, for several sections."""
    return ground.once(_small)


def _small(ground: Ground) -> tuple[Stage, dict[str, Load]]:
    made = ground.stack.enter_context(stage(ground))
    made.start_standin(4)
    made.start_haproxy()
    made.start_jimms()
    return made, made.loads()


def _facades(listing: Sequence[Any]) -> list[dict[str, object]]:
    return [{"name": each.name, "versions": list(each.versions)} for each in listing]


def _path(model: str) -> str:
    return f"/model/{model}/api"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
