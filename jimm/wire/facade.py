"""Facades as classes, and the table that finds the method a request names.

::

    class Pinger(Facade):
        name = "Pinger"

        @method("Ping", versions=(1,))
        async def ping(self) -> None: ...

The table is read off the classes once. Lookup, parameter types and the facade list of a login
result come from it alone, so what is advertised is what is answered.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_type_hints

from jimm.errors import BadRequest, NotImplementedHere, ProtocolError
from jimm.wire.envelope import Request
from jimm.wire.fold import convert
from jimm.wire.params.admin import FacadeVersions

F = TypeVar("F", bound=Callable[..., Awaitable[object]])


class Facade:
    """Base of every facade. A subclass sets ``name``, and ``listed`` false to stay out of the
    login result (Juju never lists ``Admin``)."""

    name: ClassVar[str]
    listed: ClassVar[bool] = True


def method(name: str, *, versions: Iterable[int]) -> Callable[[F], F]:
    """Marks a coroutine as the method ``name`` of its facade in these versions.

    The coroutine takes ``self``, then ``params`` of a declared Struct type if the method has
    any, then ``object_id`` if it works on an object of the server (a watcher).
    """

    def mark(function: F) -> F:
        function.__dict__["facade_method"] = (name, tuple(versions))
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Method:
    """One callable method: the facade's class, the attribute, the parameters' type."""

    facade: type[Facade]
    attribute: str
    params: type[Any] | None
    takes_object_id: bool

    async def call(self, instance: Facade, request: Request) -> object:
        """Converts the parameters and calls the method.

        Raises:
            BadRequest: the parameters are not of the declared shape.
        """
        arguments: list[object] = []
        if self.params is not None:
            try:
                arguments.append(convert(request.params, self.params))
            except ProtocolError as error:
                where = f"{request.type}({request.version}).{request.request}"
                raise BadRequest(f"cannot read the parameters of {where}: {error}") from error
        if self.takes_object_id:
            arguments.append(request.id)
        return await getattr(instance, self.attribute)(*arguments)


class Table:
    """All methods of some facade classes, by facade, version and name."""

    def __init__(self, facades: Iterable[type[Facade]]) -> None:
        self._methods: dict[str, dict[int, dict[str, Method]]] = {}
        self._unlisted: set[str] = set()
        for facade in facades:
            self._add(facade)

    def _add(self, facade: type[Facade]) -> None:
        if not facade.listed:
            self._unlisted.add(facade.name)
        versions = self._methods.setdefault(facade.name, {})
        for attribute, function in inspect.getmembers(facade, inspect.iscoroutinefunction):
            marked = getattr(function, "facade_method", None)
            if marked is None:
                continue
            name, numbers = marked
            found = _read_method(facade, attribute, function)
            for number in numbers:
                if name in versions.setdefault(number, {}):
                    raise TypeError(f"{facade.name}({number}).{name} is declared twice")
                versions[number][name] = found

    def listing(self) -> list[FacadeVersions]:
        """The ``facades`` of a login result, in alphabetical order."""
        return [
            FacadeVersions(name=name, versions=sorted(versions))
            for name, versions in sorted(self._methods.items())
            if name not in self._unlisted and versions
        ]

    def methods(self) -> Mapping[tuple[str, int, str], Method]:
        """Every method by facade, version and name; for tests that walk them all."""
        return {
            (facade, version, name): found
            for facade, versions in self._methods.items()
            for version, methods in versions.items()
            for name, found in methods.items()
        }

    def find(self, request: Request) -> Method:
        """The method that a request names.

        Raises:
            NotImplementedHere: no such facade, version or method, in Juju 3.6's words
                (``rpc/server.go``).
        """
        versions = self._methods.get(request.type)
        if versions is None and request.version == 0:
            raise NotImplementedHere(f'unknown object type "{request.type}"')
        methods = (versions or {}).get(request.version)
        if methods is None:
            raise NotImplementedHere(
                f'unknown version ({request.version}) of interface "{request.type}"'
            )
        found = methods.get(request.request)
        if found is None:
            where = f"{request.type}({request.version}).{request.request}"
            raise NotImplementedHere(f"no such request - method {where} is not implemented")
        return found


def _read_method(
    facade: type[Facade], attribute: str, function: Callable[..., Awaitable[object]]
) -> Method:
    hints = get_type_hints(function)
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    if not set(names) <= {"params", "object_id"}:
        raise TypeError(f"{facade.__name__}.{attribute} takes {names}")
    return Method(
        facade=facade,
        attribute=attribute,
        params=hints.get("params"),
        takes_object_id="object_id" in names,
    )
