"""``python -m jimmctl`` is the ``jimmctl`` command."""

from jimmctl.app import main

if __name__ == "__main__":
    main()
