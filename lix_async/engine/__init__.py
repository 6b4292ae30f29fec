"""First floor: the only rooms that wait: for a turn, for the network, for the next attempt."""
