"""``python -m jimm`` is the ``jimm`` command."""

from jimm.cli import main

if __name__ == "__main__":
    main()
