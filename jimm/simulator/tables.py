"""Which facades each kind of socket answers."""

from jimm.simulator.connection import Tables
from jimm.simulator.facades.application import Annotations, Application, Charms
from jimm.simulator.facades.client import Client
from jimm.simulator.facades.cloud import Cloud
from jimm.simulator.facades.controller import Controller
from jimm.simulator.facades.model_config import ModelConfig
from jimm.simulator.facades.model_manager import ModelManager
from jimm.simulator.facades.model_upgrader import ModelUpgrader
from jimm.simulator.facades.pinger import Pinger
from jimm.simulator.facades.user_manager import UserManager
from jimm.simulator.facades.watchers import AllModelWatcher, AllWatcher
from jimm.simulator.logins import Admin
from jimm.simulator.migration.target import MigrationTarget
from jimm.wire.facade import Table


def make_tables() -> Tables:
    """The three tables: before a login, on ``/api``, on a model's socket."""
    return Tables(
        admin=Table([Admin]),
        controller=Table(
            [
                AllModelWatcher,
                Cloud,
                Controller,
                MigrationTarget,
                ModelConfig,
                ModelManager,
                ModelUpgrader,
                Pinger,
                UserManager,
            ]
        ),
        model=Table([AllWatcher, Annotations, Application, Charms, Client, ModelConfig, Pinger]),
    )
