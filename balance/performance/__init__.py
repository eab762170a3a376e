"""The account's performance: samples of its equity, figures and how each comes about."""
