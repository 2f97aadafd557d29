"""``Storage`` 6 (Juju 3.6 ``apiserver/facades/client/storage``)."""

from collections.abc import Callable

from msgspec.structs import replace

from jimm.errors import AlreadyExists, BadRequest, Conflict, NotFound, NotSupported
from jimm.simulator import applications, storage_views
from jimm.simulator.entity_tags import parse_storage_tag, parse_unit_tag, storage_tag
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.state import Model, StoragePool
from jimm.simulator.state import Storage as Instance
from jimm.wire import codes
from jimm.wire.facade import method
from jimm.wire.params import storage as params_
from jimm.wire.params.common import Entities, Entity


class StorageAttached(Conflict):
    """Storage that is attached goes only with its attachments."""

    code = codes.STORAGE_ATTACHED


class Storage(OnModel):
    """What units keep, and the pools it comes from."""

    name = "Storage"

    @method("StorageDetails", versions=(6,))
    async def storage_details(self, params: Entities) -> Row:
        """Some instances."""
        model = self.read()

        def one(entity: Entity) -> Row:
            return {"result": storage_views.details(model, _find(model, entity.tag))}

        return {"results": rows(params.entities, one)}

    @method("ListStorageDetails", versions=(6,))
    async def list_storage_details(self, params: params_.StorageFilters) -> Row:
        """All instances, once for each filter."""
        model = self.read()
        shown = [storage_views.details(model, each) for each in model.storage.values()]
        return {"results": [{"result": shown} for _ in params.filters]}

    @method("ListFilesystems", versions=(6,))
    async def list_filesystems(self, params: params_.StorageFilters) -> Row:
        """The filesystems."""
        return self._listed(params, "filesystem", storage_views.filesystem)

    @method("ListVolumes", versions=(6,))
    async def list_volumes(self, params: params_.StorageFilters) -> Row:
        """The volumes."""
        return self._listed(params, "block", storage_views.volume)

    @method("ListPools", versions=(6,))
    async def list_pools(self, params: params_.PoolFilters) -> Row:
        """The pools, the cloud's own among them."""
        model = self.read()
        return {
            "results": [
                {
                    "storage-pools": [
                        {"name": pool.name, "provider": pool.provider, "attrs": pool.attrs}
                        for pool in _pools(model)
                        if pool.name in (wanted.names or [pool.name])
                        and pool.provider in (wanted.providers or [pool.provider])
                    ]
                }
                for wanted in params.filters
            ]
        }

    @method("CreatePool", versions=(6,))
    async def create_pool(self, params: params_.StoragePools) -> Row:
        """Adds pools."""
        self.change()

        def create(wanted: params_.StoragePool) -> Row:
            if any(pool.name == wanted.name for pool in _pools(self.session.model)):
                raise AlreadyExists(f'storage pool "{wanted.name}" already exists')
            if wanted.provider not in _PROVIDERS:
                raise NotFound(f'storage provider "{wanted.provider}" not found')
            return self._put_pool(wanted, wanted.provider)

        return {"results": rows(params.pools, create)}

    @method("UpdatePool", versions=(6,))
    async def update_pool(self, params: params_.StoragePools) -> Row:
        """Changes pools' attributes."""
        self.change()

        def update(wanted: params_.StoragePool) -> Row:
            provider = self._own_pool(wanted.name).provider
            return self._put_pool(wanted, provider)

        return {"results": rows(params.pools, update)}

    @method("RemovePool", versions=(6,))
    async def remove_pool(self, params: params_.StoragePools) -> Row:
        """Removes pools."""
        self.removal()

        def remove(wanted: params_.StoragePool) -> Row:
            model = self.session.model
            name = self._own_pool(wanted.name).name
            left = {key: pool for key, pool in model.pools.items() if key != name}
            self.keep(replace(model, pools=left))
            return {}

        return {"results": rows(params.pools, remove)}

    @method("AddToUnit", versions=(6,))
    async def add_to_unit(self, params: params_.AddStorages) -> Row:
        """Adds storage to units."""
        self.change()
        return {"results": rows(params.storages, self._add)}

    @method("Remove", versions=(6,))
    async def remove(self, params: params_.RemoveStorage) -> Row:
        """Removes storage."""
        self.removal()

        def one(wanted: params_.RemoveInstance) -> Row:
            model = self.session.model
            found = _find(model, wanted.tag)
            if found.units and not (wanted.destroy_attachments or wanted.force):
                raise StorageAttached(f"removing storage {found.id}: storage is attached")
            left = {key: each for key, each in model.storage.items() if key != found.id}
            self.keep(replace(model, storage=left))
            return {}

        return {"results": rows(params.storage, one)}

    @method("Attach", versions=(6,))
    async def attach(self, params: params_.StorageAttachments) -> Row:
        """Attaches storage that is detached."""
        self.change()

        def one(wanted: params_.StorageAttachment) -> Row:
            model = self.session.model
            found = _find(model, wanted.storage_tag)
            unit = applications.find_unit(model, parse_unit_tag(wanted.unit_tag))
            if found.units:
                raise BadRequest(f"storage {found.id} is attached already")
            return self._put(replace(found, owner=unit.name, units=(unit.name,)), "attached")

        return {"results": rows(params.ids, one)}

    @method("DetachStorage", versions=(6,))
    async def detach_storage(self, params: params_.StorageDetachment) -> Row:
        """Detaches storage; it stays."""
        self.change()

        def one(wanted: params_.StorageAttachment) -> Row:
            found = _find(self.session.model, wanted.storage_tag)
            return self._put(replace(found, owner="", units=()), "detached")

        return {"results": rows(params.ids.ids, one)}

    @method("Import", versions=(6,))
    async def import_storage(self, params: params_.ImportStorages) -> Row:
        """Refused: the simulated cloud holds nothing to import."""
        self.change()

        def refuse(wanted: object) -> Row:
            raise NotSupported("the simulated cloud has no storage to import")

        return {"results": rows(params.storage, refuse)}

    def _listed(
        self,
        params: params_.StorageFilters,
        kind: str,
        shape: Callable[[Model, Instance], Row],
    ) -> Row:
        model = self.read()
        wanted = [set(each.machines) for each in params.filters]
        return {
            "results": [
                {
                    "result": [
                        shape(model, each)
                        for each in storage_views.of_kind(model, kind)
                        if not machines or machines & storage_views.machines_of(model, each)
                    ]
                }
                for machines in wanted
            ]
        }

    def _add(self, wanted: params_.AddStorage) -> Row:
        model = self.session.model
        unit = applications.find_unit(model, parse_unit_tag(wanted.unit))
        if not wanted.name:
            raise BadRequest("storage name is empty")
        made = []
        count = 1 if wanted.storage.count is None else wanted.storage.count
        for _ in range(min(count, 100)):
            model, name = applications.with_storage(
                model,
                wanted.name,
                unit.name,
                self.core.clock.now(),
                pool=wanted.storage.pool,
                size=wanted.storage.size or 1024,
            )
            made.append(storage_tag(name))
        self.keep(model)
        return {"result": {"storage-tags": made}}

    def _put(self, changed: Instance, status: str) -> Row:
        model = self.session.model
        shown = replace(changed.status, status=status, since=self.core.clock.now())
        changed = replace(changed, status=shown)
        self.keep(replace(model, storage={**model.storage, changed.id: changed}))
        return {}

    def _own_pool(self, name: str) -> StoragePool:
        found = self.session.model.pools.get(name)
        if found is None:
            raise NotFound(f'pool "{name}" not found')
        return found

    def _put_pool(self, wanted: params_.StoragePool, provider: str) -> Row:
        model = self.session.model
        pool = StoragePool(name=wanted.name, provider=provider, attrs=wanted.attrs)
        self.keep(replace(model, pools={**model.pools, pool.name: pool}))
        return {}


_PROVIDERS = ("cinder", "loop", "rootfs", "tmpfs")


def _pools(model: Model) -> list[StoragePool]:
    return [*(StoragePool(name=each, provider=each) for each in _PROVIDERS), *model.pools.values()]


def _find(model: Model, tag: str) -> Instance:
    name = parse_storage_tag(tag)
    found = model.storage.get(name)
    if found is None:
        raise NotFound(f'storage instance "{name}" not found')
    return found
