"""Unmodified python-libjuju against a simulated controller."""

import warnings

import pytest

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
