"""How many changes of the rules no unit test would tell: `make mutants`."""
