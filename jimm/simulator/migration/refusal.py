"""A problem, raised."""

from jimm.errors import JimmError
from jimm.simulator.migration.prechecks import Problem


class Refused(JimmError):
    """Something stands in the way of a migration; text and code are Juju's."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem

    @property
    def juju_code(self) -> str:
        return self.problem.code


def refuse(problem: Problem | None) -> None:
    """Raises the problem, if there is one.

    Raises:
        Refused: there is.
    """
    if problem is not None:
        raise Refused(problem)
