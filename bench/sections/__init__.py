"""One module for each kind of work; ``measure(ground, report)`` does it."""
