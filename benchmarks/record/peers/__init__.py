"""What people use today, on the record's tasks in the same wall time, in the bench environment.

A peer knows nothing of Accordeur: it reads `job.json`, writes `answers.json`, and is scored by the
same metric on the same held-out rows.
"""
