"""What every command runs in: session, signals, progress and clients."""
