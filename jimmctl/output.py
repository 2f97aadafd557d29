"""What a command has to say, as a table for a person or as YAML or JSON for a program.

YAML and JSON hold the same document with the same keys. Tables look as Juju's do: columns
aligned by spaces, no boxes.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jimmctl.errors import JimmctlError, Usage

FORMATS = ("tabular", "yaml", "json")
Document = Mapping[str, object] | Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Output:
    """Where the document goes and how it looks.

    ``format`` is one of ``FORMATS``, or ``""``: a table on a terminal and YAML elsewhere.
    """

    format: str = ""
    file: Path | None = None

    def check(self) -> None:
        """To be asked before anything is sent: is this a way to say something?

        Raises:
            Usage: the format is unknown, or the file can't be written.
        """
        if self.format and self.format not in FORMATS:
            raise Usage(f'unknown format "{self.format}"')
        if self.file is not None and (self.file.is_dir() or not self.file.parent.is_dir()):
            raise Usage(f"{self.file} can't be written: it is a folder, or in none that exists")

    def write(self, document: Document, table: Callable[[], str]) -> None:
        """Says the document; ``table`` makes the text for people, without a final newline.

        Raises:
            JimmctlError: the file can't be written.
        """
        made = self.render(document, table)
        if self.file is None:
            sys.stdout.write(made)
            sys.stdout.flush()
            return
        try:
            self.file.write_text(made, encoding="utf-8")
        except OSError as error:
            raise JimmctlError(f"{self.file} can't be written: {error.strerror}") from error

    def render(self, document: Document, table: Callable[[], str]) -> str:
        """The text that :meth:`write` writes."""
        chosen = self.format or ("tabular" if self._to_terminal else "yaml")
        if chosen == "tabular":
            return f"{table()}\n"
        return as_json(document) if chosen == "json" else as_yaml(document)

    @property
    def _to_terminal(self) -> bool:
        return self.file is None and sys.stdout.isatty()


def as_json(document: Document) -> str:
    """One line, as Juju writes it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def as_yaml(document: Document) -> str:
    """Keys in the document's order; texts of several lines as blocks."""
    import yaml  # not needed for --help

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    def represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        lines = value.replace("\n", "")
        # PyYAML loses some control characters in its other styles.
        style = '"' if lines and not lines.isprintable() else "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, represent_text)
    made = yaml.dump(
        document,
        Dumper=Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=2**20,
    )
    return str(made)


def columns(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table: two spaces between columns, ``-`` for an empty cell."""
    cells = [tuple(heads), *(tuple(_cell(one) for one in line) for line in lines)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """One object: a line per field, names and values aligned; fields without value left out."""
    kept = [(name, _cell(value)) for name, value in pairs if value]
    width = max((len(name) for name, _ in kept), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in kept)


def plain(text: str) -> str:
    """One line without control characters: what a server says must not steer a terminal."""
    return "".join(one if one.isprintable() else " " for one in text).strip()


def say(sentence: str) -> None:
    """Progress, on stderr."""
    print(plain(sentence), file=sys.stderr, flush=True)


def complain(sentence: str) -> None:
    """An error, on stderr, as Juju's commands say it."""
    say(f"ERROR {sentence}")


def _cell(text: str) -> str:
    return plain(text) or "-"
