"""The commands, a file per noun; each has ``register(app)``."""
