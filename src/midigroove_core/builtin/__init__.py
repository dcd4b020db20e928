"""What core itself registers, through the same hooks as anyone."""
