"""One model's row in a ``migrate``: pure, whatever drives it is in :mod:`jimmctl.moving`."""

from dataclasses import dataclass, field

from jimmctl import arguments, rows
from jimmctl.errors import JimmctlError, Refused
from jimmctl.rows import Row


@dataclass(slots=True)
class Attempt:
    """One model's row: what was asked for and what has come of it so far."""

    model: arguments.Model
    uuid: str = ""
    answer: Row = field(default_factory=dict)
    ended: bool = False
    error: Row | None = None

    @property
    def migration(self) -> str:
        """The migration's id; ``""`` when none was started."""
        return rows.text(self.answer, "migration-id")

    @property
    def name(self) -> str:
        """What its model is called."""
        owner, name = (rows.text(self.answer, key) for key in ("owner", "model-name"))
        return f"{owner}/{name}" if owner and name else self.model.given

    @property
    def goes_on(self) -> bool:
        """Whether it was started and its end has not been seen."""
        return bool(self.migration) and not self.ended

    def fail(self, message: str, code: str = "") -> None:
        """Says why the model was not moved."""
        self.error = {"message": message, "code": code}

    def refuse(self, error: JimmctlError) -> None:
        """The same, with what JIMM has to say about it."""
        self.fail(error.message, error.code if isinstance(error, Refused) else "")
        if isinstance(error, Refused) and error.checks and self.error is not None:
            self.error["checks"] = [one.document() for one in error.checks]

    def document(self) -> Row:
        """The row as the command shows it; ``model-tag`` and ``migration-id`` are always
        there."""
        row: Row = {
            "model-tag": f"model-{self.uuid}" if self.uuid else self.model.given,
            "migration-id": self.migration,
        }
        for key in ("state", "ready"):
            if key in self.answer:
                row[key] = self.answer[key]
        if self.answer.get("checks"):
            row["checks"] = self.answer["checks"]
        if self.error is not None:
            row["error"] = self.error
        return row
