"""Door 1: the facades that JIMM itself answers on ``/api``.

A *session* is one logged-in websocket. A facade method reads its parameters, calls one use
case in the session's name, and renders; names lose and gain their domain here and nowhere else.
"""
