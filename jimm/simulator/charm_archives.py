"""Uploaded charms: what an archive says of itself, and which URL it gets."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import yaml

from jimm.errors import BadRequest
from jimm.simulator.charm_store import charm_named, revision_of
from jimm.simulator.state import Model

_LARGEST: Final = 1024 * 1024  # of one description; what unpacks to more is no charm's


@dataclass(frozen=True, slots=True)
class Archive:
    """The descriptions in a charm's archive."""

    name: str
    revision: int
    meta: dict[str, object]
    config: dict[str, object]
    actions: dict[str, object]


def read_archive(path: Path) -> Archive:
    """What a zip file with a charm says.

    Raises:
        BadRequest: it is no charm.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except (zipfile.BadZipFile, yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise BadRequest("cannot open charm archive: zip: not a valid zip file") from error


def members(path: Path) -> list[str]:
    """The files in an archive, in order."""
    with zipfile.ZipFile(path) as archive:
        return sorted(name for name in archive.namelist() if not name.endswith("/"))


def member(path: Path, name: str) -> bytes | None:
    """One file of an archive, ``None`` if it has none such."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name) if name in archive.namelist() else None


def local_url(model: Model, wanted: str) -> str:
    """The URL that an upload gets: the revision asked for, or the next that is free (Juju
    ``state/charm.go``, ``PrepareLocalCharmUpload``)."""
    stem, number = wanted, 0
    head, _, tail = wanted.rpartition("-")
    if head and tail.isdecimal():
        stem, number = head, int(tail)
    name = charm_named(wanted)
    taken = [
        revision_of(url)
        for url in model.charms
        if url.startswith("local:") and charm_named(url) == name
    ]
    return f"{stem}-{max([number, *(each + 1 for each in taken)])}"


def _read(archive: zipfile.ZipFile) -> Archive:
    root = _root(archive)
    meta = _described(archive, root, "metadata.yaml") or _described(
        archive, root, "charmcraft.yaml"
    )
    name = meta.get("name")
    if not isinstance(name, str) or not name:
        raise BadRequest("invalid charm archive: missing metadata.yaml")
    revision = _text(archive, root, "revision").strip()
    return Archive(
        name=name,
        revision=int(revision) if revision.isdecimal() else 0,
        meta=meta,
        config=_described(archive, root, "config.yaml") or _part(meta, "config"),
        actions=_described(archive, root, "actions.yaml") or _part(meta, "actions"),
    )


def _root(archive: zipfile.ZipFile) -> str:
    """Where the metadata is: some charms are packed with the folder around them."""
    found = [
        PurePosixPath(name)
        for name in archive.namelist()
        if PurePosixPath(name).name in ("metadata.yaml", "charmcraft.yaml")
    ]
    if not found:
        raise BadRequest("invalid charm archive: missing metadata.yaml")
    folder = str(min(found, key=lambda path: len(path.parts)).parent)
    return "" if folder == "." else f"{folder}/"


def _text(archive: zipfile.ZipFile, root: str, name: str) -> str:
    try:
        info = archive.getinfo(root + name)
    except KeyError:
        return ""
    if info.file_size > _LARGEST:
        raise BadRequest(f"invalid charm archive: {name} is too large")
    return archive.read(info).decode()


def _described(archive: zipfile.ZipFile, root: str, name: str) -> dict[str, object]:
    found = yaml.safe_load(_text(archive, root, name) or "{}")
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _part(meta: Mapping[str, object], key: str) -> dict[str, object]:
    found = meta.get(key)
    return dict(found) if isinstance(found, dict) else {}
