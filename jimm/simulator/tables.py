"""Which facades each kind of socket answers."""

from functools import cache

from jimm.simulator.connection import Tables
from jimm.simulator.dialects import Release, dialect_of
from jimm.simulator.facades.action import Action
from jimm.simulator.facades.annotations import Annotations
from jimm.simulator.facades.application import Application
from jimm.simulator.facades.application_offers import ApplicationOffers
from jimm.simulator.facades.block import Block
from jimm.simulator.facades.bundle import Bundle
from jimm.simulator.facades.charms import Charms
from jimm.simulator.facades.client import Client
from jimm.simulator.facades.cloud import Cloud
from jimm.simulator.facades.controller import Controller
from jimm.simulator.facades.key_manager import KeyManager
from jimm.simulator.facades.machine_manager import MachineManager
from jimm.simulator.facades.model_config import ModelConfig
from jimm.simulator.facades.model_manager import ModelManager
from jimm.simulator.facades.model_upgrader import ModelUpgrader
from jimm.simulator.facades.pinger import Pinger
from jimm.simulator.facades.resources import Resources
from jimm.simulator.facades.secret_backends import SecretBackends
from jimm.simulator.facades.secrets import Secrets
from jimm.simulator.facades.spaces import Spaces, Subnets
from jimm.simulator.facades.ssh_client import SSHClient
from jimm.simulator.facades.storage import Storage
from jimm.simulator.facades.user_manager import UserManager
from jimm.simulator.facades.watchers import AllModelWatcher, AllWatcher, StringsWatcher
from jimm.simulator.logins import Admin
from jimm.simulator.migration.target import EnvelopeTarget, MigrationTarget
from jimm.wire.facade import Facade, Table


@cache
def make_tables(version: str = "3.6.9") -> Tables:
    """What a controller of this version answers: before a login, on ``/api``, on a model's
    socket. Read off the classes once for all controllers."""
    dialect = dialect_of(version)
    controller = _controller(Release.of(version))
    return Tables(admin=Table([Admin]), controller=controller, model=_model(), dialect=dialect)


def _controller(release: Release) -> Table:
    facades: list[type[Facade]] = [
        AllModelWatcher,
        ApplicationOffers,
        Cloud,
        Controller,
        EnvelopeTarget if release.takes_envelopes else MigrationTarget,
        ModelConfig,
        ModelManager,
        ModelUpgrader,
        Pinger,
        SecretBackends,
        UserManager,
    ]
    # 3.6 knows bundles here, too, but in no version.
    return Table([*facades, Bundle] if release.is_four else facades)


def _model() -> Table:
    return Table(
        [
            Action,
            AllWatcher,
            Annotations,
            Application,
            Block,
            Bundle,
            Charms,
            Client,
            KeyManager,
            MachineManager,
            ModelConfig,
            Pinger,
            Resources,
            SSHClient,
            Secrets,
            Spaces,
            Storage,
            StringsWatcher,
            Subnets,
        ]
    )
