"""The facades that a simulated controller answers, one file each."""
