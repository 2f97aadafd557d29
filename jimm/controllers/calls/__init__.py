"""Juju's facade methods as typed functions over a link, one file per facade.

One row in, one row out: error rows become :class:`~jimm.errors.RemoteError`, result counts are
checked, and an answer that can't be read is :class:`~jimm.errors.LostAnswer`. Each asks for
versions that 3.6 and 4.0 both serve; ``deadline`` is seconds.
"""
