"""How the shipped weights are made: label readers, training, evaluation, export."""
