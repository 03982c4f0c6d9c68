"""What a run's plan, checks and outcome look like on a terminal of 80 columns and more."""
