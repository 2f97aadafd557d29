"""Plans: many models that are moved one after the other, as one operation.

A *move* is one model and the target chosen for it. Models *tied* by offers are a *group* and go to
one target. An *item* is a move that was written down, with what became of it. A *drive* is one
plan in the hands of one replica.
"""
