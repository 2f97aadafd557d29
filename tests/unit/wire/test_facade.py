"""The table: what is listed is what is answered, and the rest is refused in Juju's words."""

import pytest

from jimm.errors import BadRequest, NotImplementedHere
from jimm.wire.envelope import Request
from jimm.wire.facade import Facade, Table, method
from jimm.wire.params.common import Entities, Params


class Total(Params, kw_only=True):
    total: int


class Counter(Facade):
    name = "Counter"

    @method("Count", versions=(2, 3))
    async def count(self, params: Entities) -> Total:
        return Total(total=len(params.entities))

    @method("Next", versions=(3,))
    async def next_one(self, object_id: str) -> Total:
        return Total(total=int(object_id))


class Hidden(Facade):
    name = "Hidden"
    listed = False

    @method("Look", versions=(1,))
    async def look(self) -> None:
        return None


TABLE = Table([Counter, Hidden])


def asked(
    name: str, version: int = 3, facade: str = "Counter", params: object = None, object_id: str = ""
) -> Request:
    return Request(
        request_id=1,
        type=facade,
        version=version,
        request=name,
        id=object_id,
        params={} if params is None else params,
    )


async def answer(request: Request) -> object:
    return await TABLE.find(request).call(Counter(), request)


async def test_a_method_is_called_with_its_parameters() -> None:
    assert await answer(asked("Count", params={"Entities": [{"tag": "a"}]})) == Total(total=1)


async def test_a_method_on_an_object_gets_its_id() -> None:
    assert await answer(asked("Next", object_id="7")) == Total(total=7)


async def test_parameters_of_the_wrong_shape_are_refused_by_name() -> None:
    with pytest.raises(BadRequest, match=r"Counter\(3\).Count"):
        await answer(asked("Count", params={"entities": "x"}))


def test_the_listing_is_the_table() -> None:
    assert [(each.name, each.versions) for each in TABLE.listing()] == [("Counter", [2, 3])]


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (asked("X", 0, "Nope"), 'unknown object type "Nope"'),
        (asked("X", 1, "Nope"), 'unknown version (1) of interface "Nope"'),
        (asked("Count", 9), 'unknown version (9) of interface "Counter"'),
        (asked("Next", 2), "no such request - method Counter(2).Next is not implemented"),
    ],
)
def test_what_is_unknown_is_refused_in_jujus_words(request_: Request, text: str) -> None:
    with pytest.raises(NotImplementedHere) as refusal:
        TABLE.find(request_)
    assert str(refusal.value) == text


def test_a_method_declared_twice_is_a_mistake() -> None:
    class Again(Counter):
        @method("Count", versions=(3,))
        async def count_again(self) -> None:
            return None

    with pytest.raises(TypeError, match="declared twice"):
        Table([Again])
