"""Numbers that a model gives once."""

from msgspec.structs import replace

from jimm.simulator.state import Model


def taken(model: Model, name: str, *, first: int = 0) -> tuple[Model, int]:
    """The model with the next number of a sequence taken, and that number."""
    number = model.sequences.get(name, first)
    return replace(model, sequences={**model.sequences, name: number + 1}), number
