"""The months of the audit trail, and the partition that each has. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

PARTITION: Final = re.compile(r"audit_events_(\d{4})_(\d\d)")
"""The names of the partitions' tables."""

LOCK: Final = 5_642_002
"""The advisory lock under which partitions come and go; the number means nothing else."""


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month of UTC."""

    year: int
    month: int

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"audit_events_{self.year:04}_{self.month:02}"

    @property
    def begin(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    def after(self, months: int = 1) -> "Month":
        """So many months later."""
        years, month = divmod(self.month - 1 + months, 12)
        return Month(self.year + years, month + 1)


def month_of(moment: datetime) -> Month:
    """The month of a moment."""
    there = moment.astimezone(UTC)
    return Month(there.year, there.month)


def statements(month: Month) -> Sequence[str]:
    """What makes a partition, in a transaction, whoever else does so at the same time.

    It is attached, and not made in its place, for that would wait for every search under way,
    and every record for it.
    """
    begin, end = (f"{each.begin:%Y-%m-%d %H:%M:%S}+00" for each in (month, month.after()))
    return (
        f"SELECT pg_advisory_xact_lock({LOCK})",
        f"""
        DO $$ BEGIN
            IF to_regclass('{month.table}') IS NULL THEN
                CREATE TABLE {month.table}
                    (LIKE audit_events INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING STORAGE);
                ALTER TABLE audit_events ATTACH PARTITION {month.table}
                    FOR VALUES FROM ('{begin}') TO ('{end}');
            END IF;
        END $$
        """,
    )
