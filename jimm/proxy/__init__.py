"""Door 2, ``/model/<uuid>/api``: a pipe with a porter at the door.

Five words. A *leg* is one connection, the client's or the controller's. The *porter* lets a
client in: it answers the login itself and introduces the client on a controller leg. The
*pipe* then passes frames as the bytes they are. The *tap* looks on and names what passes. The
*doorkeeper* knows who may come in; the porter asks it.

While a model is being moved a *guard* stands in front of the pipe of whoever logs in.

``porter``, ``pipe``, ``guard`` and ``tap`` decide in values and do no I/O; ``legs`` obeys.
"""
