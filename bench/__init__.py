"""JIMM's speed and memory, beside peers that do the same work in the same run.

``make bench`` runs it (``docs/how-to/measure-jimm.md``). Five words: a *stage* is what runs (a
Postgres, a stand-in for controllers, JIMM), a *peer* is what the load goes through, a *section*
is one kind of work, a *row* is one number of it for each peer and each run, a *goal* is what a
row is held against.
"""
