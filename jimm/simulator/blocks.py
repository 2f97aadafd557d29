"""Commands that a model's administrators have disabled (Juju ``apiserver/common/block.go``)."""

from typing import Final, get_args

from msgspec.structs import replace

from jimm.errors import Conflict, NotValid
from jimm.simulator.sequences import taken
from jimm.simulator.state import Block, BlockType, Model
from jimm.wire import codes

_TYPES: Final[tuple[BlockType, ...]] = get_args(BlockType)


class OperationBlocked(Conflict):
    """A block is on; the text is its message."""

    code = codes.OPERATION_BLOCKED


def check_change(model: Model) -> None:
    """Refuses what changes the model.

    Raises:
        OperationBlocked: changes are blocked.
    """
    _check(model, "BlockChange")


def check_removal(model: Model) -> None:
    """Refuses what removes something from the model.

    Raises:
        OperationBlocked: removals or all changes are blocked.
    """
    _check(model, "BlockRemove", "BlockChange")


def check_destruction(model: Model) -> None:
    """Refuses to destroy the model.

    Raises:
        OperationBlocked: destruction, removals or all changes are blocked.
    """
    _check(model, "BlockDestroy", "BlockRemove", "BlockChange")


def switched_on(model: Model, kind: str, message: str) -> Model:
    """The model with a block; one that is on gets the new message.

    Raises:
        NotValid: no type of a block.
    """
    wanted = _type(kind)
    if any(block.type == wanted for block in model.blocks):
        blocks = (
            replace(each, message=message) if each.type == wanted else each for each in model.blocks
        )
        return replace(model, blocks=tuple(blocks))
    model, number = taken(model, "block")
    block = Block(id=str(number), type=wanted, message=message)
    return replace(model, blocks=(*model.blocks, block))


def switched_off(model: Model, kind: str) -> Model:
    """The model without a block, whether it was on or not.

    Raises:
        NotValid: no type of a block.
    """
    wanted = _type(kind)
    return replace(model, blocks=tuple(each for each in model.blocks if each.type != wanted))


def _check(model: Model, *types: BlockType) -> None:
    for wanted in types:
        for block in model.blocks:
            if block.type == wanted:
                raise OperationBlocked(block.message or "the operation has been blocked")


def _type(kind: str) -> BlockType:
    for each in _TYPES:
        if each == kind:
            return each
    raise NotValid(f"unknown block type {kind}")
