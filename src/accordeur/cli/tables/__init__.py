"""What a run's plan, checks and record look like on a terminal of 80 columns and more."""
