"""JIMM: one address in front of many Juju controllers."""
