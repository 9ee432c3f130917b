"""The small model that ships with the program: its catalogue, ground truth, training and weights."""
