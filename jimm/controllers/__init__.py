"""JIMM as a client of Juju controllers.

Five words. An *endpoint* is what is registered of a controller: where it is and how it proves
itself. A *link* is one logged-in connection, many calls at once. A *supervisor* keeps one link
of JIMM's own to one controller, the *pool* holds them all. A *reading* is what a controller
was last seen to be.
"""
