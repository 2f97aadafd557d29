"""The Juju RPC as values and bytes. Nothing here does I/O.

Five words. An *envelope* is one message on the socket, a request or a response. A *tag* names
a thing (``model-<uuid>``). *Params* are the typed bodies of a facade's methods. A *facade* is a
class whose methods live in certain versions; its *table* finds the method that a request names.
"""
