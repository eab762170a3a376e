"""The keys of other programs: their names, what they do, and how each of them is connected."""
