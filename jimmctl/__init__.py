"""``jimmctl``: the administrator's command line over JIMM's REST API ``/v1``.

It knows nothing of the package ``jimm``: what it needs, it asks over the network. Its words:

- a *place* is a JIMM and a way to sign in there (:mod:`jimmctl.config` finds one);
- a *client* speaks to a place (:mod:`jimmctl.client`);
- a *call* is one run of one command, with the options all commands share
  (:mod:`jimmctl.call`);
- a *document* is what a command has to say, and a *table* the same for a person's eyes
  (:mod:`jimmctl.output`);
- a *row* is one object of the API as plain JSON.

Start-up is kept short: httpx, YAML and TLS are loaded once a command really needs them.
"""
