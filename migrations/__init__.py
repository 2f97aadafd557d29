"""Schema revisions, one linear history, run by ``jimm.registry.schema``.

In this project a *migration* is a model's; a change of the schema is a *schema revision*.
"""
