"""How a model moves from one simulated controller to another, as Juju 3.6 does it.

Five words: a *phase* is where an attempt stands (:mod:`~jimm.simulator.migration.phases`); a
*record* is what the source remembers of it (:mod:`~jimm.simulator.migration.record`); a
*precheck* says why a model can't move (:mod:`~jimm.simulator.migration.prechecks`); the *worker*
walks the phases on the source (:mod:`~jimm.simulator.migration.worker`); the *target* is the
facade and the routes it calls (:mod:`~jimm.simulator.migration.target`,
:mod:`~jimm.simulator.migration.http`).
"""
