"""``Storage`` 6 (Juju ``rpc/params/storage.go``)."""

from msgspec import field

from jimm.wire.params.common import Params


class StorageFilter(Params, kw_only=True):
    """A filter of volumes or filesystems by machine; of ``ListStorageDetails`` it is empty."""

    machines: list[str] = []


class StorageFilters(Params, kw_only=True):
    """``ListStorageDetails``, ``ListVolumes`` and ``ListFilesystems``."""

    filters: list[StorageFilter] = []


class PoolFilter(Params, kw_only=True):
    """A filter of pools."""

    names: list[str] = []
    providers: list[str] = []


class PoolFilters(Params, kw_only=True):
    """``ListPools``."""

    filters: list[PoolFilter] = []


class StoragePool(Params, kw_only=True):
    """A pool."""

    name: str
    provider: str = ""
    attrs: dict[str, object] = {}


class StoragePools(Params, kw_only=True):
    """``CreatePool``, ``UpdatePool`` and ``RemovePool``."""

    pools: list[StoragePool]


class StorageConstraints(Params, kw_only=True):
    """How much of what; ``size`` is in MiB."""

    pool: str = ""
    size: int | None = None
    count: int | None = None


class AddStorage(Params, kw_only=True):
    """Storage to add to a unit (its tag)."""

    unit: str
    name: str
    storage: StorageConstraints = field(default_factory=StorageConstraints)


class AddStorages(Params, kw_only=True):
    """``AddToUnit``."""

    storages: list[AddStorage]


class RemoveInstance(Params, kw_only=True):
    """One instance to remove."""

    tag: str
    destroy_attachments: bool = False
    destroy_storage: bool = False
    force: bool = False


class RemoveStorage(Params, kw_only=True):
    """``Remove``."""

    storage: list[RemoveInstance]


class StorageAttachment(Params, kw_only=True):
    """An instance of storage and a unit."""

    storage_tag: str
    unit_tag: str = ""


class StorageAttachments(Params, kw_only=True):
    """``Attach``."""

    ids: list[StorageAttachment] = []


class StorageDetachment(Params, kw_only=True):
    """``DetachStorage``."""

    ids: StorageAttachments
    force: bool = False


class ImportStorage(Params, kw_only=True):
    """One existing volume or filesystem to take in."""

    kind: int = 0
    pool: str = ""
    provider_id: str = ""
    storage_name: str = ""


class ImportStorages(Params, kw_only=True):
    """``Import``."""

    storage: list[ImportStorage]
