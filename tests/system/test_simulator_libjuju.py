"""Unmodified python-libjuju against a simulated controller."""

import warnings
from pathlib import Path

import pytest
import yaml

from tests.eventually import eventually
from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Registration

with warnings.catch_warnings():
    # libjuju is a guest here: importing it uses what newer websockets deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    from juju.controller import Controller


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_round_that_most_programs_make(simulator: SimulatorFactory) -> None:
    made = Registration.of((await simulator(name="plain")).registration())
    controller = Controller()
    await controller.connect(
        endpoint=made.address, username=made.user, password=made.password, cacert=made.ca
    )
    try:
        config = {"simulated-applications": "ubuntu:2"}
        model = await controller.add_model("m1", config=config)
        try:
            assert sorted(model.units) == ["ubuntu/0", "ubuntu/1"]
            assert model.applications["ubuntu"].status == "active"
            assert sorted((await model.get_status()).applications) == ["ubuntu"]
        finally:
            await model.disconnect()
        assert sorted(await controller.list_models()) == ["controller", "m1"]
        info = await controller.get_model_info(model_name="m1")
        assert (info.name, info.controller_uuid) == ("m1", made.uuid)
        again = await controller.get_model("m1")
        await again.disconnect()
        await controller.destroy_model("m1")

        async def is_gone() -> bool:
            return set(await controller.list_models()) == {"controller"}

        gone: bool = await eventually(is_gone)
        assert gone
    finally:
        await controller.disconnect()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its uploads
async def test_a_local_charm_is_deployed_related_and_run(
    simulator: SimulatorFactory, tmp_path: Path
) -> None:
    made = Registration.of((await simulator(name="plain")).registration())
    controller = Controller()
    await controller.connect(
        endpoint=made.address, username=made.user, password=made.password, cacert=made.ca
    )
    try:
        model = await controller.add_model("m1")
        try:
            for name, end in (("app", "requires"), ("base", "provides")):
                await model.deploy(str(a_charm(tmp_path / name, name, end)), application_name=name)
            await model.wait_for_idle(status="active", timeout=20, idle_period=0.1)
            await model.integrate("app:db", "base:db")
            await model.applications["app"].add_unit(1)
            await model.wait_for_idle(status="active", timeout=20, idle_period=0.1)
            assert sorted(model.units) == ["app/0", "app/1", "base/0"]
            action = await model.units["base/0"].run_action("backup")
            assert (await action.wait()).status == "completed"
            await model.remove_application("app", block_until_done=True)
            assert sorted(model.applications) == ["base"]
        finally:
            await model.disconnect()
    finally:
        await controller.disconnect()


def a_charm(path: Path, name: str, end: str) -> Path:
    """A charm's directory with one endpoint and one action."""
    path.mkdir()
    described = {"name": name, "summary": name, "description": name}
    metadata = {**described, end: {"db": {"interface": "pgsql"}}}
    base = {"name": "ubuntu", "channel": "24.04", "architectures": ["amd64"]}
    (path / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    (path / "manifest.yaml").write_text(yaml.safe_dump({"bases": [base]}))
    (path / "actions.yaml").write_text("backup: {description: Back it up.}\n")
    return path
