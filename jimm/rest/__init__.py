"""Door 3: ``/v1``, for scripts and for ``jimmctl``. It translates and decides nothing."""
