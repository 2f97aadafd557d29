"""The typed bodies of facade methods, one file per facade, with Juju's keys.

A field without a default is always written, and is the zero value where a peer leaves it out.
A field with a default is written only when it differs from it (Go's ``omitempty``).
"""
