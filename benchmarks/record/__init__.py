"""The verdict's record: many tasks, one budget, what was picked and what would have been best."""
