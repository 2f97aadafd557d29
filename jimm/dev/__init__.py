"""All of JIMM on one machine: Postgres, JIMM, and simulated controllers, for development."""
