"""The equity over time: samples of it, taken while the server runs, and what they tell."""
