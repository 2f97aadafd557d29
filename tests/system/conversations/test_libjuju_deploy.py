"""Unmodified python-libjuju through JIMM: a charm of one's own deployed, watched and offered."""

import gc
import stat
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev

with warnings.catch_warnings():
    # libjuju is a guest here: importing it uses what newer websockets deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    from juju.errors import JujuAPIError, JujuError

# It leaves the sockets of its uploads to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

METADATA = """\
name: tiny
summary: A charm for tests.
description: It does nothing.
provides:
  website:
    interface: http
requires:
  database:
    interface: pgsql
"""
MANIFEST = """\
analysis: {attributes: [{name: language, result: python}]}
bases:
- {name: ubuntu, channel: "22.04", architectures: [amd64]}
charmcraft-version: "3.0.0"
"""
CONFIG = "options: {greeting: {type: string, default: hello, description: What it says.}}\n"


@pytest.fixture
def charm(tmp_path: Path) -> Path:
    """The folder of a charm that does nothing."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    for name, text in (
        ("metadata.yaml", METADATA),
        ("manifest.yaml", MANIFEST),
        ("config.yaml", CONFIG),
        ("dispatch", "#!/bin/sh\nexit 0\n"),
    ):
        (folder / name).write_text(text)
    (folder / "dispatch").chmod(stat.S_IRWXU)
    return folder


@pytest.fixture(autouse=True)
def _swept() -> Iterator[None]:
    """No socket of libjuju's is left for the next test to stumble over."""
    yield
    gc.collect()


@asynccontextmanager
async def new_model(controller: Any) -> AsyncIterator[Any]:
    """A connected model with a name of its own, destroyed at the end."""
    name = f"m-{uuid.uuid4().hex[:8]}"
    model = await controller.add_model(name)
    try:
        yield model
    finally:
        made = model.info.uuid
        await model.disconnect()
        await controller.destroy_model(made, destroy_storage=True, force=True)


async def test_a_charm_of_one_s_own_is_deployed_and_watched(dev: Dev, charm: Path) -> None:
    async with dev.libjuju() as controller, new_model(controller) as model:
        application = await model.deploy(str(charm), application_name="tiny", num_units=2)
        assert application.safe_data["charm-url"].startswith("local:")
        await eventually(lambda: len(model.applications["tiny"].units) == 2)
        await model.wait_for_idle(apps=["tiny"], status="active", timeout=20, idle_period=0.1)
        assert (await application.get_config())["greeting"]["value"] == "hello"
        await application.set_config({"greeting": "good morning"})
        assert (await application.get_config())["greeting"]["value"] == "good morning"
        # What changes arrives over the watcher, without anything being asked.
        await application.add_unit(count=1)
        await eventually(lambda: len(model.applications["tiny"].units) == 3)
        await application.remove()
        await eventually(lambda: "tiny" not in model.applications)


async def test_an_application_is_offered_listed_and_taken_back(dev: Dev, charm: Path) -> None:
    async with dev.libjuju() as controller, new_model(controller) as model:
        await model.deploy(str(charm), application_name="tiny")
        await eventually(lambda: "tiny" in model.applications)
        await model.create_offer("tiny:website", offer_name="site")
        try:
            listed = (await model.list_offers()).results
            assert [(each.offer_name, each.application_name) for each in listed] == [
                ("site", "tiny")
            ]
            assert listed[0].offer_url == f"alice/{model.name}.site"
            assert [each.name for each in listed[0].endpoints] == ["website"]
        finally:
            await model.remove_offer(f"jimm:alice/{model.name}.site", force=True)
        assert not (await model.list_offers()).results
        with pytest.raises(JujuError, match="no-such-application"):
            await model.create_offer("no-such-application:website")


async def test_somebody_who_may_only_read_watches_and_deploys_nothing(
    dev: Dev, charm: Path
) -> None:
    async with dev.libjuju() as alice, dev.libjuju("bob") as bob, new_model(alice) as model:
        await alice.grant_model("bob", model.info.uuid, acl="read")
        his = await bob.get_model(model.info.uuid)
        try:
            with pytest.raises((JujuAPIError, JujuError), match=r"permission denied|403|401"):
                await his.deploy(str(charm), application_name="tiny")
            await model.deploy(str(charm), application_name="tiny")
            await eventually(lambda: "tiny" in his.applications)
        finally:
            await his.disconnect()
