"""The screen as components: functions that return them and do nothing else."""
