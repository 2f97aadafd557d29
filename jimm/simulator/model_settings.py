"""A model's settings: Juju's defaults, those of its cloud and region, and its own
(Juju ``environs/config``, ``ModelConfig.ModelGet``)."""

from collections.abc import Mapping
from typing import Final

from jimm.simulator.state import Controller, Model

DEFAULTS: Final[Mapping[str, object]] = {
    "agent-metadata-url": "",
    "agent-stream": "released",
    "apt-ftp-proxy": "",
    "apt-http-proxy": "",
    "apt-https-proxy": "",
    "apt-mirror": "",
    "apt-no-proxy": "",
    "automatically-retry-hooks": True,
    "backup-dir": "",
    "charmhub-url": "https://api.charmhub.io",
    "cloudinit-userdata": "",
    "container-image-metadata-defaults-disabled": False,
    "container-image-metadata-url": "",
    "container-image-stream": "released",
    "container-inherit-properties": "",
    "container-networking-method": "",
    "default-base": "",
    "default-series": "",
    "default-space": "",
    "development": False,
    "disable-network-management": False,
    "disable-telemetry": False,
    "egress-subnets": "",
    "enable-os-refresh-update": True,
    "enable-os-upgrade": True,
    "firewall-mode": "instance",
    "ftp-proxy": "",
    "http-proxy": "",
    "https-proxy": "",
    "ignore-machine-addresses": False,
    "image-metadata-defaults-disabled": False,
    "image-metadata-url": "",
    "image-stream": "released",
    "juju-ftp-proxy": "",
    "juju-http-proxy": "",
    "juju-https-proxy": "",
    "juju-no-proxy": "127.0.0.1,localhost,::1",
    "logging-config": "<root>=INFO",
    "lxd-snap-channel": "5.0/stable",
    "max-action-results-age": "336h",
    "max-action-results-size": "5G",
    "mode": "requires-prompts",
    "net-bond-reconfigure-delay": 17,
    "no-proxy": "127.0.0.1,localhost,::1",
    "num-container-provision-workers": 4,
    "num-provision-workers": 16,
    "provisioner-harvest-mode": "destroyed",
    "proxy-ssh": False,
    "saas-ingress-allow": "0.0.0.0/0,::/0",
    "secret-backend": "auto",
    "snap-http-proxy": "",
    "snap-https-proxy": "",
    "snap-store-assertions": "",
    "snap-store-proxy": "",
    "snap-store-proxy-url": "",
    "ssh-allow": "0.0.0.0/0,::/0",
    "ssl-hostname-verification": True,
    "test-mode": False,
    "transmit-vendor-metrics": True,
    "update-status-hook-interval": "5m",
}
"""What Juju sets where nobody has."""


def every(controller: Controller, model: Model) -> dict[str, tuple[object, str]]:
    """Each setting's value and source: ``default``, ``controller``, ``region`` or ``model``."""
    found: dict[str, tuple[object, str]] = {k: (v, "default") for k, v in DEFAULTS.items()}
    kept = controller.model_defaults
    for source, place in (("controller", model.cloud), ("region", f"{model.cloud}/{model.region}")):
        found.update({key: (value, source) for key, value in kept.get(place, {}).items()})
    found.update({key: (value, "model") for key, value in model.config.items()})
    definition = controller.clouds.get(model.cloud)
    found["name"] = (model.name, "model")
    found["type"] = (definition.type if definition is not None else "", "model")
    found["uuid"] = (model.uuid, "model")
    found["agent-version"] = (model.agent_version, "model")
    return found
