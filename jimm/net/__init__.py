"""Sockets: dialling, TLS, certificates, a websocket client. Knows nothing of Juju's calls."""
