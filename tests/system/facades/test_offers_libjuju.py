"""Offers with an unmodified python-libjuju."""

import uuid
import warnings

import pytest

from tests.fix_dev import Dev

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from juju.controller import RemoveError
    from juju.errors import JujuAPIError


async def test_offers_through_controller_and_model(dev: Dev) -> None:
    name = f"offers-{uuid.uuid4().hex[:8]}"
    url = f"alice/{name}.pg"
    async with dev.libjuju() as controller:
        model = await controller.add_model(name, config={"simulated-applications": "db:1"})
        try:
            await model.create_offer("db:server", offer_name="pg")
            await controller.create_offer(model.info.uuid, "db:admin")
            listed = (await model.list_offers()).results
            assert [each.offer_url for each in listed] == [f"alice/{name}.db", url]
            assert [each.application_name for each in listed] == ["db", "db"]
            assert [end.name for end in listed[1].endpoints] == ["server"]
            assert [(user.user, user.access) for user in listed[1].users] == [("alice", "admin")]
            details = await controller.get_consume_details(url)
            assert details.offer.offer_url == url
            assert details.external_controller.addrs == []
            assert details.macaroon is not None
            with pytest.raises(RemoveError, match="use force"):
                await model.remove_offer(f"jimm:{url}")
            await model.remove_offer(f"jimm:{url}", force=True)
            left = (await controller.list_offers(name)).results
            assert [each.offer_name for each in left] == ["db"]
            with pytest.raises(JujuAPIError, match="not found"):
                await controller.list_offers("no-such-model")
        finally:
            await model.disconnect()
            await controller.destroy_model(name, force=True)
