"""The fleet as a whole: how things stand, how old its builds are, how it fared."""
