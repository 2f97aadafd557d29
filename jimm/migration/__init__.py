"""Moving models between controllers while they run.

A *migration* here is a model's, never the schema's. Its *state* is JIMM's (``phases.State``):
how far the operation has come. Its *phase* is Juju's (``phases.Phase``): where the two
controllers are. A *view* is what one controller answered about the model. A *verdict* is what
the views together mean. A *finding* is a reason why a migration can't start, with its remedy.
"""
