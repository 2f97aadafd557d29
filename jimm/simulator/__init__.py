"""A Juju 3.6 controller that is not one: real wire, no machines.

Five words: the *state* is values, one per thing (:mod:`~jimm.simulator.state`); the *rules* say
how a value may change (:mod:`~jimm.simulator.rules`); the *store* has every value on disk before
an answer goes out (:mod:`~jimm.simulator.store`); a *connection* is one websocket with one login
(:mod:`~jimm.simulator.connection`); a *fault* is something that goes wrong on demand
(:mod:`~jimm.simulator.faults`).
"""
